"""Maps workplaces to institutions. Input: a user's decision. Output: an alias or a new institution, the moved
employees, their history and the audit record, in one transaction.

``actions`` has the decisions. ``store`` finds unmapped workplaces and similar names. A decision and a page
that is being saved wait for each other (see ``lock_workplaces`` in 0003_employees.sql).
"""
