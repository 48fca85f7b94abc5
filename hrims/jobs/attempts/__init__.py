"""Attempts. Input: the id of a run. Output: the saved result of one execution, and an error for the queue.

``attempt`` is the execution. ``retry`` decides what follows a failure, ``retry_policy`` how often and for how
long a run is attempted. ``attempt_log`` collects what an attempt logged. ``store`` has the SQL.
"""
