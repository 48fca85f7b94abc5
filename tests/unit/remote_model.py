"""A model of HRIMS with a clock of its own: a plan is the input; requests, seconds, tries and verdicts are
the output. It follows ``hrims.sync.readings`` without I/O.
"""

import contextlib
import heapq
import itertools
from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from random import Random

from hrims.errors import RemoteError, RemoteFailed, RemoteUnreachable
from hrims.sync.plan import Ask, Plan

CHECKS, CONTROLS = 2, 4
"""Requests of a check whether HRIMS is there, and whether it answers pages: each may fail by chance."""

Failure = Callable[[Ask], RemoteError]


@dataclass
class RemoteModel:
    """A listing of ``total`` records. ``broken`` ones fail every page that holds them, ``failure_rate`` of
    the others fail by chance, after ``latency`` seconds. ``is_up`` tells at which times HRIMS answers at
    all, ``is_page_possible`` which pages it can answer; ``are_checks_answered`` whether it answers other
    questions when it is not up.
    """

    total: int
    broken: frozenset[int] = frozenset()
    failure_rate: float = 0.0
    latency: float = 0.3
    seed: int = 1
    failure: Failure = lambda _: RemoteFailed("it failed")
    breakage: Failure = lambda _: RemoteFailed("it broke")
    is_up: Callable[[float], bool] = lambda _: True
    is_page_possible: Callable[[Ask], bool] = lambda _: True
    are_checks_answered: bool = False

    now: float = 0.0
    requests: int = 0
    most_in_flight: int = 0
    tries: Counter[int] = field(default_factory=Counter)
    """Requests for a single record, by its position."""
    fetched: list[int] = field(default_factory=list)
    given_up: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = Random(self.seed)
        self._order = itertools.count()
        self._in_flight: list[tuple[float, int, Generator[None]]] = []

    def run(self, plan: Plan, *, to_first_answer: bool = False) -> None:
        """Work the plan off, or its first part. Raise what ends the attempt."""
        while not (to_first_answer and self.fetched):
            step = plan.take(self.now)
            if isinstance(step, Ask):
                self._start(self._fetch(plan, step))
            elif self._in_flight and (not step or self._in_flight[0][0] <= self.now + step):
                self.now, _, request = heapq.heappop(self._in_flight)
                self._start(request)
            elif step is None:
                return
            else:
                self.now += step

    def _start(self, request: Generator[None]) -> None:
        """Continue a request until it is in flight, or ends."""
        for _ in request:
            self.requests += 1
            heapq.heappush(self._in_flight, (self.now + self.latency, next(self._order), request))
            self.most_in_flight = max(self.most_in_flight, len(self._in_flight))
            return

    def _fetch(self, plan: Plan, ask: Ask) -> Generator[None]:
        if ask.span.size == 1:
            self.tries[ask.span.start] += 1
        yield
        positions = range(ask.span.start, min(ask.span.stop, self.total))
        is_possible = self.broken.isdisjoint(positions) and self.is_page_possible(ask)
        if is_possible and self._is_answered():
            self.fetched += positions
            plan.answered(ask, len(positions), self.total)
            return
        error = self.failure(ask) if is_possible else self.breakage(ask)
        try:
            is_given_up = plan.failed(ask, error, self.now, self.rng)
        except RemoteUnreachable:
            if plan.hopeless:
                raise
            yield from self._check(error)
            is_given_up = plan.split(ask, error, self.now)
        if (is_given_up and ask.is_unconfirmed) or (plan.doubted and ask.is_suspect):
            yield from self._confirm(plan, error, CONTROLS)
        elif plan.doubted:
            yield from self._check(error)
        elif plan.is_to_confirm(ask):
            with contextlib.suppress(RemoteError):
                yield from self._confirm(plan, error, 1)
        if is_given_up:
            self.given_up += range(ask.span.start, ask.span.stop)

    def _check(self, error: RemoteError) -> Generator[None]:
        for _ in range(CHECKS):
            yield
            if self.are_checks_answered or self._is_answered():
                return
        raise error

    def _confirm(self, plan: Plan, error: RemoteError, tries: int) -> Generator[None]:
        for _ in range(tries):
            yield
            if self._is_answered():
                plan.confirmed()
                return
        raise error

    def _is_answered(self) -> bool:
        return self.is_up(self.now) and self.rng.random() >= self.failure_rate
