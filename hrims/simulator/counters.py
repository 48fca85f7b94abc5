"""Counts requests and their outcomes; tests wait here for figures to be reached."""

import contextlib
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from hrims.simulator.request_parser import ParsedRequest

LOGGED = 2000
"""Number of latest requests that are kept with their times."""


@dataclass
class RequestLogEntry:
    """One request.

    ``start`` and ``end`` are seconds on the machine's monotonic clock. ``outcome`` is "ok", the kind of the
    failure, or "left" if the client disconnected first. ``era`` is the number of resets before it.
    """

    number: int
    client: int
    era: int
    start: float
    request: ParsedRequest | None
    end: float | None = None
    outcome: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON, with the fields of the parsed request beside the others."""
        asked = asdict(self.request) if self.request else {}
        rest = {name: getattr(self, name) for name in ("client", "start", "end", "outcome")}
        return {"number": self.number, **asked, **rest}


class Counters:
    """The counters; thread-safe. ``changed`` wakes the threads that wait."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.era = self.in_flight = self.held = 0
        self.reset()

    def reset(self) -> None:
        """Reset the counters; requests in flight stay in flight."""
        with self.changed:
            self.era += 1
            self.totals: Counter[str] = Counter(requests=0, answered=0, failed=0, left=0)
            self.max_in_flight = self.in_flight
            self.failures: Counter[str] = Counter()
            self.asked: Counter[ParsedRequest] = Counter()
            self.answered: Counter[ParsedRequest] = Counter()
            self.log: deque[RequestLogEntry] = deque(maxlen=LOGGED)
            self.changed.notify_all()

    def record_arrival(
        self, client: int, request: ParsedRequest | None = None
    ) -> tuple[RequestLogEntry, int]:
        """Record a request on the connection from this port.

        Return it, and how many times this was requested so far, starting at 1.
        """
        with self.changed:
            self.totals["requests"] += 1
            self.in_flight += 1
            self.max_in_flight = max(self.max_in_flight, self.in_flight)
            entry = RequestLogEntry(self.totals["requests"], client, self.era, time.monotonic(), request)
            self.log.append(entry)
            if request:
                self.asked[request] += 1
            self.changed.notify_all()
            return entry, self.asked[request] if request else 1

    @contextlib.contextmanager
    def count_outcome(self, entry: RequestLogEntry) -> Iterator[Callable[[str], None]]:
        """Provide a function that counts the request's outcome; only its first call counts.

        Without a call, the client has left.
        """
        outcomes: list[str] = []

        def count(outcome: str) -> None:
            if not outcomes:
                outcomes.append(outcome)
                self._record_end(entry, outcome)

        try:
            yield count
        finally:
            count("left")

    def _record_end(self, entry: RequestLogEntry, outcome: str) -> None:
        with self.changed:
            self.in_flight -= 1
            self.changed.notify_all()
            if entry.era != self.era:
                return  # it arrived before the counters were reset
            entry.end, entry.outcome = time.monotonic(), outcome
            if outcome == "ok" and entry.request:
                self.answered[entry.request] += 1
            if outcome not in ("ok", "left"):
                self.failures[outcome] += 1
            self.totals[{"ok": "answered", "left": "left"}.get(outcome, "failed")] += 1

    def hold(self, count: int) -> None:
        """Change the number of held requests by ``count``."""
        with self.changed:
            self.held += count
            self.changed.notify_all()

    def figures(self) -> dict[str, int]:
        """Return the figures for which tests can wait."""
        return {
            **self.totals,
            "in_flight": self.in_flight,
            "max_in_flight": self.max_in_flight,
            "held": self.held,
        }

    def wait(self, wanted: Mapping[str, int], seconds: float) -> bool:
        """Wait until every figure is at least as wanted; return False if ``seconds`` elapsed first."""
        with self.changed:
            return self.changed.wait_for(
                lambda: all(self.figures()[name] >= n for name, n in wanted.items()), seconds
            )

    def as_json(self) -> dict[str, Any]:
        """Return all counters as JSON."""
        with self.changed:
            return {
                **self.figures(),
                "failures": dict(self.failures),
                "pages": [
                    asdict(request) | {"asked": times, "answered": self.answered[request]}
                    for request, times in self.asked.items()
                ],
                "log": [entry.as_json() for entry in self.log],
            }
