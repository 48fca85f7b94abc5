"""Holds requests until they are released, so that tests wait for signals and not for time."""

import itertools
import threading
from dataclasses import dataclass
from typing import Any

from hrims.simulator.asking import Ask
from hrims.simulator.behaviour import Match, Refused, match


@dataclass
class Hold:
    """Requests that ``match`` wait, once ``after`` of them have passed."""

    number: int
    match: Match
    after: int


class Gate:
    """Open unless held; thread-safe."""

    def __init__(self) -> None:
        self.moved = threading.Condition()
        self._holds: list[Hold] = []
        self._numbers = itertools.count(1)

    def hold(self, given: dict[str, Any]) -> int:
        """Holds what ``given`` matches (``page``, ``size``, ``vote``, ``tin``, ``operation``; after
        the first ``after``); returns the number to release it by. Raises Refused."""
        rest = dict(given)
        with self.moved:
            hold = Hold(next(self._numbers), match(rest), int(rest.pop("after", 0)))
            if rest:
                raise Refused(f"unknown in a hold: {', '.join(sorted(rest))}")
            self._holds.append(hold)
            return hold.number

    def release(self, number: int | None = None) -> None:
        """Lets go what this hold holds, or everything."""
        with self.moved:
            self._holds = [one for one in self._holds if number not in (None, one.number)]
            self.moved.notify_all()

    def stops(self, ask: Ask) -> Hold | None:
        """The hold that this request has to wait for, counting it as passed where it may pass."""
        with self.moved:
            for hold in self._holds:
                if hold.match.fits(ask):
                    if hold.after <= 0:
                        return hold
                    hold.after -= 1
        return None

    def still_held(self, hold: Hold, seconds: float) -> bool:
        """Waits so long at most; whether the hold still stands."""
        with self.moved:
            self.moved.wait_for(lambda: hold not in self._holds, seconds)
            return hold in self._holds
