"""The rate limiter of starts. Input: requests of users. Output: a pause, a limit or another order.

``actions`` has the requests, each with its audit record, ``priorities`` the priorities of runs, ``store`` the
SQL. Postgres decides which job a worker may take, because the limit covers all workers: ``fetch_run_job`` in
``migrations/``.
"""
