"""What was asked and what became of it; tests wait here for things to happen."""

import threading
import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from hrims.simulator.asking import Ask

LOGGED = 2000
"""The last so many requests are kept with their times."""


@dataclass
class Request:
    """One request: ``start`` and ``end`` are seconds on the machine's monotonic clock; ``outcome``
    is ok, the kind of its failure, or left when the client went away first."""

    number: int
    client: int
    start: float
    operation: str = ""
    key: str = ""
    page: int | None = None
    size: int | None = None
    end: float | None = None
    outcome: str | None = None


class Counters:
    """Thread-safe; ``changed`` wakes whoever waits."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.reset()

    def reset(self) -> None:
        """Begins anew; requests still in flight stay in flight."""
        with self.changed:
            self.totals: Counter[str] = Counter(requests=0, answered=0, failed=0, left=0)
            self.in_flight = getattr(self, "in_flight", 0)
            self.max_in_flight = self.in_flight
            self.held = getattr(self, "held", 0)
            self.failures: Counter[str] = Counter()
            self.asked: Counter[Ask] = Counter()
            self.answered: Counter[Ask] = Counter()
            self.log: deque[Request] = deque(maxlen=LOGGED)
            self.changed.notify_all()

    def arrived(self, client: int) -> Request:
        """A request has come in on the connection from this port."""
        with self.changed:
            self.totals["requests"] += 1
            self.in_flight += 1
            self.max_in_flight = max(self.max_in_flight, self.in_flight)
            request = Request(self.totals["requests"], client, time.monotonic())
            self.log.append(request)
            self.changed.notify_all()
            return request

    def understood(self, request: Request, ask: Ask) -> int:
        """What it asks for is known; returns how often that was asked by now, from 1."""
        with self.changed:
            request.operation, request.key = ask.operation, ask.key
            request.page, request.size = ask.page, ask.size
            self.asked[ask] += 1
            self.changed.notify_all()
            return self.asked[ask]

    def ended(self, request: Request, ask: Ask | None, outcome: str) -> None:
        """It was answered, failed, or the client left."""
        with self.changed:
            self.in_flight -= 1
            request.end, request.outcome = time.monotonic(), outcome
            if outcome == "ok" and ask:
                self.answered[ask] += 1
            if outcome not in ("ok", "left"):
                self.failures[outcome] += 1
            self.totals[{"ok": "answered", "left": "left"}.get(outcome, "failed")] += 1
            self.changed.notify_all()

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
            pages = [
                {"operation": one.operation, "key": one.key, "page": one.page, "size": one.size,
                 "asked": asked, "answered": self.answered[one]}
                for one, asked in self.asked.items()
            ]  # fmt: skip
            log = [asdict(request) for request in self.log]
            return {
                **self.figures(),
                "failures": dict(self.failures),
                "pages": pages,
                "log": log,
            }
