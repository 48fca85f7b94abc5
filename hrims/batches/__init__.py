"""Batches: many runs asked for at once. A wish for institutions comes in; a run for each goes out, how they
stand together, and which were left out and why.

``ask`` has the deeds, each with its audit record, ``standing`` the sums and words, ``store`` the SQL.
"""
