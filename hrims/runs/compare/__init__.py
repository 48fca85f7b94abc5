"""Compares two runs of an institution.

Input: the ids of the runs. Output: the people that one or both runs met, and what changed between the runs.

``pair`` checks which runs can be compared, ``store`` has the SQL.
"""
