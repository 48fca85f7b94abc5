"""Holds requests until they are released, so that tests wait for signals and not for time."""

import itertools
import threading
from dataclasses import dataclass
from typing import Any

from hrims.simulator.behaviour import InvalidControl, Match, match
from hrims.simulator.request_parser import ParsedRequest


@dataclass
class RequestHold:
    """A hold: requests that ``match`` wait after the first ``after`` of them have passed."""

    number: int
    match: Match
    after: int


class ConcurrencyGate:
    """A gate that is open unless there are holds; thread-safe."""

    def __init__(self) -> None:
        self.moved = threading.Condition()
        self._holds: list[RequestHold] = []
        self._numbers = itertools.count(1)

    def hold(self, given: dict[str, Any]) -> int:
        """Hold the requests that ``given`` matches and return the number that releases them.

        ``given`` has ``page``, ``size``, ``vote``, ``tin``, ``operation``, and ``after`` for the number of
        requests that pass first. Raises InvalidControl.
        """
        rest = dict(given)
        with self.moved:
            hold = RequestHold(next(self._numbers), match(rest), int(rest.pop("after", 0)))
            if rest:
                raise InvalidControl(f"unknown in a hold: {', '.join(sorted(rest))}")
            self._holds.append(hold)
            return hold.number

    def release(self, number: int | None = None) -> None:
        """Release the requests of this hold, or of all holds."""
        with self.moved:
            self._holds = [hold for hold in self._holds if number not in (None, hold.number)]
            self.moved.notify_all()

    def find_hold(self, request: ParsedRequest) -> RequestHold | None:
        """Return the hold for which this request must wait, if any.

        If the request may pass a hold, count it as passed.
        """
        with self.moved:
            for hold in self._holds:
                if hold.match.is_match(request):
                    if hold.after <= 0:
                        return hold
                    hold.after -= 1
        return None

    def is_still_held(self, hold: RequestHold, seconds: float) -> bool:
        """Wait for at most ``seconds`` and return whether the hold still exists."""
        with self.moved:
            self.moved.wait_for(lambda: hold not in self._holds, seconds)
            return hold in self._holds
