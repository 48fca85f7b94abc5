"""Searches for employees and shows them to HR officers. Input: a search text or an employee's id. Output: the
employee, the lists that have them, and their history.

``store`` searches and reads. ``timeline`` formats the history, purely. ``searches`` saves what a user
searched for. ``actions`` reveals masked fields, and records who searched, viewed and revealed.
"""
