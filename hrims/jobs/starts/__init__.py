"""When runs start: a person's wish comes in; the queue pauses, goes on, or lets this run start first.

``decide`` has the wishes, each with its audit record, ``priorities`` the words for what comes first,
``store`` the SQL. What a worker may take is decided by Postgres (``take_run_job``, migration 0014), which
counts over all workers.
"""
