"""Records that repeat a ZanID: the saved pages of a pass come in; rejects, corrected employees and the
number of people who are proven to be listed twice go out. ``decision`` is pure, ``resolve`` and ``verify``
do what it says.
"""
