"""The job queue. Input: a request for a run. Output: attempts to execute it, one at a time.

``enqueue`` writes run, progress, audit record and queue job in one transaction. ``queue`` is the
Procrastinate app, which runs workers. ``attempts`` gives every execution its fencing number, saves how it
ended and decides what follows a failure. ``rate_limit`` is the rate limiter of starts, ``workers`` registers
workers and assigns institutions to pools. ``rescuer`` requeues runs of dead workers, ``cleaner`` deletes
expired data. ``control`` cancels, retries and repeats runs. ``store`` has the SQL of a run's states. The
package ``sync`` does the work inside an attempt.

Whether a run may start now is decided in one place: the SQL function ``fetch_run_job`` in
migrations/0006_queue.sql. The names of queues are in ``workers.pools``, priorities in
``rate_limit.priorities``; migrations/0006_queue.sql has the same in SQL.
"""
