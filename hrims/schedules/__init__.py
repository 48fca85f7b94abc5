"""The scheduler: starts batches automatically, at the due times of schedules.

Input: a batch request of a user, with a cron expression and a time zone. Output: one batch at each due time,
whichever worker enqueues it.

``calendar`` computes the times and is pure. ``actions`` has the actions of administrators, each with its
audit record. ``scheduler`` enqueues due batches. ``store`` has the SQL.
"""
