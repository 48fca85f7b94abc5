"""Compares two runs of an institution: their numbers come in; who was met by one or both, and what changed
about those in between, go out. ``pair`` says which runs can be compared, ``store`` has the SQL.
"""
