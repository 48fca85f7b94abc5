"""The audit trail as evidence. Input: the records of ``access.audit``. Output: a chain that shows changes.

``chain`` states the format of records, digests and hashes. ``sequencer`` chains committed records, and
``heads`` writes the end of the chain outside the database. ``verification`` finds the first record that was
altered, removed, inserted or reordered, with ``diagnosis`` for its kind. ``export`` writes the trail as CSV.
``store`` has the SQL.
"""
