"""What was asked and what became of it; tests wait here for things to happen."""

import contextlib
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from hrims.simulator.asking import Ask

LOGGED = 2000
"""The last so many requests are kept with their times."""


@dataclass
class Request:
    """One request: ``start`` and ``end`` are seconds on the machine's monotonic clock; ``outcome``
    is ok, the kind of its failure, or left: the client went away first. ``era`` counts resets."""

    number: int
    client: int
    era: int
    start: float
    ask: Ask | None
    end: float | None = None
    outcome: str | None = None

    def shown(self) -> dict[str, Any]:
        """It as JSON, with what was asked beside the rest."""
        asked = asdict(self.ask) if self.ask else {}
        rest = {name: getattr(self, name) for name in ("client", "start", "end", "outcome")}
        return {"number": self.number, **asked, **rest}


class Counters:
    """Thread-safe; ``changed`` wakes whoever waits."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.era = self.in_flight = self.held = 0
        self.reset()

    def reset(self) -> None:
        """Begins anew; requests still in flight stay in flight."""
        with self.changed:
            self.era += 1
            self.totals: Counter[str] = Counter(requests=0, answered=0, failed=0, left=0)
            self.max_in_flight = self.in_flight
            self.failures: Counter[str] = Counter()
            self.asked: Counter[Ask] = Counter()
            self.answered: Counter[Ask] = Counter()
            self.log: deque[Request] = deque(maxlen=LOGGED)
            self.changed.notify_all()

    def arrived(self, client: int, ask: Ask | None = None) -> tuple[Request, int]:
        """A request has come in on the connection from this port; also tells how often this was
        asked by now, from 1."""
        with self.changed:
            self.totals["requests"] += 1
            self.in_flight += 1
            self.max_in_flight = max(self.max_in_flight, self.in_flight)
            request = Request(self.totals["requests"], client, self.era, time.monotonic(), ask)
            self.log.append(request)
            if ask:
                self.asked[ask] += 1
            self.changed.notify_all()
            return request, self.asked[ask] if ask else 1

    @contextlib.contextmanager
    def counting(self, request: Request) -> Iterator[Callable[[str], None]]:
        """Gives what counts the request's outcome, of which the first call holds; without one,
        whoever asked has left."""
        outcomes: list[str] = []

        def count(outcome: str) -> None:
            if not outcomes:
                outcomes.append(outcome)
                self._ended(request, outcome)

        try:
            yield count
        finally:
            count("left")

    def _ended(self, request: Request, outcome: str) -> None:
        with self.changed:
            self.in_flight -= 1
            self.changed.notify_all()
            if request.era != self.era:
                return  # it came before the counters were set to nought
            request.end, request.outcome = time.monotonic(), outcome
            if outcome == "ok" and request.ask:
                self.answered[request.ask] += 1
            if outcome not in ("ok", "left"):
                self.failures[outcome] += 1
            self.totals[{"ok": "answered", "left": "left"}.get(outcome, "failed")] += 1

    def hold(self, count: int) -> None:
        """So many more requests stand at the gate, or fewer."""
        with self.changed:
            self.held += count
            self.changed.notify_all()

    def figures(self) -> dict[str, int]:
        """The numbers that can be waited for."""
        return {
            **self.totals,
            "in_flight": self.in_flight,
            "max_in_flight": self.max_in_flight,
            "held": self.held,
        }

    def wait(self, wanted: Mapping[str, int], seconds: float) -> bool:
        """Until every figure is at least as wanted; False when ``seconds`` went by before."""
        with self.changed:
            return self.changed.wait_for(
                lambda: all(self.figures()[name] >= n for name, n in wanted.items()), seconds
            )

    def shown(self) -> dict[str, Any]:
        """All of it as JSON."""
        with self.changed:
            return {
                **self.figures(),
                "failures": dict(self.failures),
                "pages": [
                    asdict(ask) | {"asked": times, "answered": self.answered[ask]}
                    for ask, times in self.asked.items()
                ],
                "log": [request.shown() for request in self.log],
            }
