"""A rate limiter for sign-ins.

Input: a typed name and the browser. Output: permission to check a password, or how long to wait. Four counts
of failures cause delays: those of an account at one address, of an address, of an account, and of a known
device. A known device of a user waits only for its own failures.
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
