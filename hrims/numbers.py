"""Numbers as people and machines write them: a text comes in, a number goes out. Pure."""

LARGEST = 2**63 - 1
"""The largest id that Postgres keeps."""


def whole(given: object, most: int = LARGEST) -> int:
    """The whole number from 1 to ``most`` that ASCII digits spell; 0 for everything else.

    Judged by length first: a text of a million digits is never made a number.
    """
    if not isinstance(given, str) or not given.isascii() or not given.isdigit():
        return 0
    if len(given) > len(str(LARGEST)):
        return 0
    number = int(given)
    return number if number <= most else 0
