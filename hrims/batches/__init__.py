"""Batches: runs for many institutions, requested together.

Input: which institutions to sync. Output: a run for each, the progress of all of them, and the skipped
institutions with the reason.

``actions`` has the actions, each with its audit record, ``progress`` the totals and messages, ``store`` the
SQL.
"""
