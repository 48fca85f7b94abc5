"""What a name at which people work means: a person's decision comes in; an alias or a new institution, its
people moved at once, their history and the audit record go out, in one transaction.

``decide`` holds the decisions; ``store`` finds what waits for one, and what a name is like. A page that is
being saved meanwhile and a decision wait for one another (see ``hold_workplaces`` in migration 0008).
"""
