"""A rate limiter for sign-ins.

Input: a typed name and the browser. Output: permission to check a password, or how long to wait. The delay
grows with the failures: of the account at an address, of an address, of an account, and of a known device of
the account, which no other failures delay.
"""

from hrims.access.throttle.actions import (
    Attempt,
    TooManyFailures,
    begin,
    count_failures,
    release,
    unlock,
)
from hrims.access.throttle.delays import DEVICE, NAME, ORIGIN, PAIR

__all__ = [
    "DEVICE",
    "NAME",
    "ORIGIN",
    "PAIR",
    "Attempt",
    "TooManyFailures",
    "begin",
    "count_failures",
    "release",
    "unlock",
]
