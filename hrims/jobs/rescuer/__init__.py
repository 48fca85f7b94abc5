"""The rescuer: requeues runs of dead workers.

Input: jobs without a live worker, and runs without a live job. Output: runs that continue from their
checkpoint or have failed.

``task`` has the background task and the liveness grace, ``store`` the SQL.
"""
