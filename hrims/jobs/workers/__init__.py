"""Workers and their pools. Input: heartbeats. Output: the live workers, their pools and their runs.

``heartbeat`` registers a worker and writes its heartbeat. ``background`` runs a worker's background tasks,
``claims`` requeues jobs that it lost, ``queue_worker`` extends Procrastinate's worker. ``pools`` ties
institutions to pools. ``store`` has the SQL.
"""
