"""The two roles of a database. Input: a migrated schema. Output: what web, workers and analysts may do in it.

``setup`` creates the roles and grants their rights, at the end of each `hrims migrate`. ``names`` has their
names, ``reporting`` the views of the reporting role, ``store`` the SQL. The owner of the tables is neither of
the two: only `hrims migrate` uses its rights.
"""
