"""Records that repeat a ZanID.

Input: the saved pages of a pass. Output: rejects, corrected employees and the number of people who are proven
to be listed twice.

``decision`` is pure; ``resolve`` and ``verify`` carry it out.
"""
