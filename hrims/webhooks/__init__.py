"""Webhooks notify other systems when a run ends.

Input: messages that a trigger inserted in the transaction that ended the run. Output: signed requests. Failed
deliveries are retried for a day.

``actions`` has the actions of administrators, ``store`` the SQL, ``task`` the worker's task and its
cleaner; ``delivery`` delivers a message. The triggers are in migrations/0012_webhooks.sql.
"""
