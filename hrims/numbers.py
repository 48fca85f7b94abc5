"""Numbers in the input of users and machines. Input: a text. Output: a number. Pure."""

LARGEST = 2**63 - 1
"""The largest id that Postgres can store."""


def whole(given: object, limit: int = LARGEST) -> int:
    """Return the whole number from 1 to ``limit`` that ASCII digits represent; 0 for everything else.

    Check the length first: a text of a million digits is never converted.
    """
    if not isinstance(given, str) or not given.isascii() or not given.isdigit():
        return 0
    if len(given) > len(str(LARGEST)):
        return 0
    number = int(given)
    return number if number <= limit else 0
