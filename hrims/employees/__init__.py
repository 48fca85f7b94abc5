"""Shape and keep: records of the remote come in; rows in ``employees`` and what changed go out.

``mapping`` turns a record into a row or a reject, without I/O; ``store`` keeps the rows of a page in bulk,
each with the institution behind the name that an employment gives, inside the transaction that its caller
holds.
"""
