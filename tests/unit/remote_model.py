"""A model of HRIMS with a clock of its own.

A scheduler is the input; requests, seconds, tries and verdicts are
the output. It follows ``hrims.sync.passes`` without I/O.
"""

import contextlib
import heapq
import itertools
from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from random import Random

from hrims.errors import RemoteError, RemoteFailed, RemoteUnreachable
from hrims.sync.failure_policy import RemoteState
from hrims.sync.page_scheduler import PageRequest, PageScheduler

CHECKS, CONTROLS = 2, 4
"""Requests of a check whether HRIMS is there, and whether it answers pages: each may fail by chance."""

Failure = Callable[[PageRequest], RemoteError]


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
    is_page_possible: Callable[[PageRequest], bool] = lambda _: True
    are_checks_answered: bool = False

    now: float = 0.0
    requests: int = 0
    max_in_flight: int = 0
    tries: Counter[int] = field(default_factory=Counter)
    """Requests for a single record, by its position."""
    fetched: list[int] = field(default_factory=list)
    abandoned: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = Random(self.seed)
        self._order = itertools.count()
        self._in_flight: list[tuple[float, int, Generator[None]]] = []

    def run(self, scheduler: PageScheduler, *, to_first_answer: bool = False) -> None:
        """Run the scheduler to its end, or to the first response. Raise the error that ends the attempt."""
        while not (to_first_answer and self.fetched):
            step = scheduler.next_request(self.now)
            if isinstance(step, PageRequest):
                self._start(self._fetch(scheduler, step))
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
            self.max_in_flight = max(self.max_in_flight, len(self._in_flight))
            return

    def _fetch(self, scheduler: PageScheduler, request: PageRequest) -> Generator[None]:
        if request.span.size == 1:
            self.tries[request.span.start] += 1
        yield
        positions = range(request.span.start, min(request.span.stop, self.total))
        is_possible = self.broken.isdisjoint(positions) and self.is_page_possible(request)
        if is_possible and self._is_answered():
            self.fetched += positions
            scheduler.add_response(request, self.total)
            scheduler.add_saved(request, len(positions))
            return
        error = self.failure(request) if is_possible else self.breakage(request)
        try:
            is_abandoned = scheduler.add_failure(request, error, self.now, self.rng)
        except RemoteUnreachable:
            if scheduler.remote_state is RemoteState.FAILING:
                raise
            yield from self._check(error)
            is_abandoned = scheduler.split(request, error, self.now)
        if (is_abandoned and request.is_unconfirmed) or (
            scheduler.should_check_remote and request.is_suspect
        ):
            yield from self._confirm(scheduler, error, CONTROLS)
        elif scheduler.should_check_remote:
            yield from self._check(error)
        elif scheduler.needs_confirmation(request):
            with contextlib.suppress(RemoteError):
                yield from self._confirm(scheduler, error, 1)
        if is_abandoned:
            self.abandoned += range(request.span.start, request.span.stop)

    def _check(self, error: RemoteError) -> Generator[None]:
        for _ in range(CHECKS):
            yield
            if self.are_checks_answered or self._is_answered():
                return
        raise error

    def _confirm(self, scheduler: PageScheduler, error: RemoteError, tries: int) -> Generator[None]:
        for _ in range(tries):
            yield
            if self._is_answered():
                scheduler.add_confirmation()
                return
        raise error

    def _is_answered(self) -> bool:
        return self.is_up(self.now) and self.rng.random() >= self.failure_rate
