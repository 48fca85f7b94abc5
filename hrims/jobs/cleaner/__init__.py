"""The cleaner: deletes expired data. Input: ended jobs, runs and searches. The summary of each run is kept.

``task`` has the background task, ``store`` the SQL. ``DELETIONS`` in ``hrims.worker`` lists every function
``delete_expired_…`` that the cleaner runs. Sessions and failed sign-ins are deleted by the next sign-in.
"""
