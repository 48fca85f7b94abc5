"""Limits the audit records of refused requests. Input: refusals. Output: which to record, and the others.

A stranger can make a process refuse thousands of requests a second. They must not fill the disk.
"""

import threading
from collections import Counter
from typing import Final, NamedTuple

from hrims.networks import network_of

PER_ADDRESS: Final = 20
"""Refusals of one address that a process records in a minute."""

PER_MINUTE: Final = 200
"""Refusals of all addresses that a process records in a minute."""

MAX_ADDRESSES: Final = 1000
"""Addresses that a process counts one by one in a minute. Further ones are counted together."""

WINDOW: Final = 60.0


class LeftOut(NamedTuple):
    """Refusals of a minute without records of their own, by code. ``address`` is None for many together."""

    address: str | None
    codes: dict[str, int]


class RefusalLimiter:
    """The refusals of one process. Times are those of its monotonic clock, in seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._window = -1
        self._recorded = Counter[str | None]()
        self._left_out: dict[str | None, Counter[str]] = {}
        self._ended: list[LeftOut] = []

    def admit(self, address: str | None, code: str, now: float) -> bool:
        """Count a refusal. Return whether it gets a record of its own."""
        origin = network_of(address) if address else None
        with self._lock:
            self._start_window(now)
            if self._recorded[origin] < PER_ADDRESS and self._recorded.total() < PER_MINUTE:
                self._recorded[origin] += 1
                return True
            known = origin if origin in self._left_out or len(self._left_out) < MAX_ADDRESSES else None
            self._left_out.setdefault(known, Counter())[code] += 1
            return False

    def take_left_out(self, now: float) -> list[LeftOut]:
        """Return the refusals without a record of the minutes that have ended, each once."""
        with self._lock:
            self._start_window(now)
            ended, self._ended = self._ended, []
            return ended

    def _start_window(self, now: float) -> None:
        window = int(now // WINDOW)
        if window != self._window:
            self._ended += [LeftOut(address, dict(codes)) for address, codes in self._left_out.items()]
            self._window, self._recorded, self._left_out = window, Counter(), {}


LIMITER = RefusalLimiter()
"""One per process. It counts the refused requests and the throttled sign-ins."""
