"""The connection to HRIMS that a process uses. Input: settings, and what the page saved. Output: one of both.

``model`` merges the two, ``addresses`` says which addresses the page may name, ``store`` reads the table,
``reader`` follows it, and ``check`` tests a connection step by step. ``hrims.connection`` has the changes.
"""
