"""Detects leavers. Input: a complete run, or a user's decision. Output: ended listings, leavers and their
history. No employee is deleted, and an error never proves an absence.

``detection`` finds the leavers of a run, in the transaction that ends it. ``threshold`` decides, purely, when
a second user must approve them. ``actions`` approves, refuses and undoes. ``store`` and ``leave.sql`` have
the SQL, also for what pages and the API show.
"""
