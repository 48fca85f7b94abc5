"""Maps and saves employees. Input: records of HRIMS. Output: rows in ``employees``, and what changed.

``mapping`` turns a record into a row or a reject, without I/O. ``store`` saves the rows of a page in bulk,
inside its caller's transaction. It gives each row the institution that its workplace is mapped to.
"""
