"""The dispatcher counts, holds, fails or answers each request."""

import contextlib
import random
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from hrims.simulator import answers, behaviour, request_parser
from hrims.simulator.answers import Page
from hrims.simulator.behaviour import Behaviour, Fault
from hrims.simulator.concurrency_gate import ConcurrencyGate
from hrims.simulator.counters import Counters
from hrims.simulator.exchange import ClientDisconnected, Exchange
from hrims.simulator.failures import FAILURES, LASTING
from hrims.simulator.options import Options
from hrims.simulator.people import find_number
from hrims.simulator.population import Person, Population
from hrims.simulator.request_parser import BadRequest, ParsedRequest
from hrims.simulator.reshape import reshape_records

KINDS = set(FAILURES)


class Reply(NamedTuple):
    """The outcome of a request, and the function that sends the response."""

    outcome: str
    send: Callable[[], None]


class Dispatcher:
    """The state of one simulator: its population, its current behaviour, and its counters."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.population = Population(options)
        self.counters = Counters()
        self.gate = ConcurrencyGate()
        self.lock = threading.Lock()
        self.behaviour = Behaviour()
        self.poisoned: frozenset[int] = frozenset()
        self._served: Counter[str] = Counter()
        self.change(dict(options.behaviour))

    def change(self, changes: Any) -> None:
        """Merge these changes into the behaviour. Raises InvalidControl."""
        with self.lock:
            merged = behaviour.merge_behaviour(self.behaviour, changes, KINDS)
            # People move between pages, so resolve the poisoned people to numbers when the poison is set.
            self.poisoned = frozenset(find_number(self.population, position) for position in merged.poison)
            self.behaviour = merged

    def add_fault(self, given: dict[str, Any]) -> None:
        """Add a fault after the existing ones. Raises InvalidControl."""
        with self.lock:
            fault = behaviour.fault(given, KINDS)
            self.behaviour = behaviour.with_fault(self.behaviour, fault)

    def restart(self) -> None:
        """Reset behaviour and counters to the start and release all holds."""
        self.gate.release()
        self.counters.reset()
        self._served.clear()
        self.behaviour = Behaviour()
        self.change(dict(self.options.behaviour))

    def handle(self, exchange: Exchange, client: int, headers: Any, body: bytes) -> None:
        """Handle one request to ``/Employees`` from its arrival to its end."""
        try:
            request = request_parser.read(body)
        except BadRequest as reason:
            self.refuse(client, "body400")
            exchange.json(answers.failure(400, str(reason)))
            return
        entry, nth = self.counters.record_arrival(client, request)
        with contextlib.suppress(ClientDisconnected), self.counters.count_outcome(entry) as count:
            reply = self._reply(exchange, request, nth, headers)
            # Count it before the client can see the response: the client may send its next request
            # immediately.
            if reply.outcome not in LASTING:
                count(reply.outcome)
            try:
                reply.send()
            finally:
                count(reply.outcome)  # a client that leaves during a failure has met it

    def refuse(self, client: int, outcome: str) -> None:
        """Count a request that is refused without being parsed."""
        with self.counters.count_outcome(self.counters.record_arrival(client)[0]) as count:
            count(outcome)

    def _reply(self, exchange: Exchange, request: ParsedRequest, nth: int, headers: Any) -> Reply:
        now = self.behaviour
        if refused := self._refusal(now, headers):
            return self._failure_reply(exchange, refused)
        rng = random.Random(f"{self.options.seed}/{request}/{nth}")  # noqa: S311 - reproducible
        self._wait_at_gate(exchange, request)
        if now.latency_ms or now.jitter_ms:
            late = now.latency_ms + rng.uniform(-now.jitter_ms, now.jitter_ms)
            exchange.pause(late / 1000)
        if request.operation in request_parser.PAGED:
            return self._reply_with_page(exchange, request, nth, rng)
        return self._reply_with_employee(exchange, request, rng)

    def _refusal(self, now: Behaviour, headers: Any) -> str | None:
        wanted = {"ApiKey": self.options.api_key, "Token": self.options.token}
        if now.credentials == "expired":
            return "http403"
        if now.credentials == "wrong":
            return "http401"
        right = all(not value or headers.get(name) == value for name, value in wanted.items())
        return None if right else "http401"

    def _wait_at_gate(self, exchange: Exchange, request: ParsedRequest) -> None:
        hold = self.gate.find_hold(request)
        if hold is None:
            return
        self.counters.hold(1)
        try:
            while self.gate.is_still_held(hold, 0.05):
                exchange.check()
        finally:
            self.counters.hold(-1)

    def _reply_with_page(
        self, exchange: Exchange, request: ParsedRequest, nth: int, rng: random.Random
    ) -> Reply:
        page = answers.build_page(self.population, request)
        if page is None:
            return self._failure_reply(exchange, "body404")
        self._apply_irregularities(request, page, nth, rng)
        if self._poisoned(page.people):
            return Reply("poison", self._failure_reply(exchange, self.behaviour.poison_kind, page).send)
        if fault := self._choose_fault(request, rng):
            if fault.kind == "repeat_page" and page.number:
                before = answers.build_page(self.population, request, page.number - 1)
                page.data = before.data if before else page.data
            return self._failure_reply(exchange, fault.kind, page, fault.details)
        return Reply("ok", lambda: exchange.json(page.encoded()))

    def _reply_with_employee(self, exchange: Exchange, request: ParsedRequest, rng: random.Random) -> Reply:
        person, answer = answers.find_employee(self.population, request)
        if person and self._poisoned([person]):
            return Reply("poison", self._failure_reply(exchange, self.behaviour.poison_kind).send)
        if fault := self._choose_fault(request, rng):
            return self._failure_reply(exchange, fault.kind, None, fault.details)
        outcome = "ok" if answer["code"] == 200 else f"body{answer['code']}"
        return Reply(outcome, lambda: exchange.json(answer))

    def _failure_reply(
        self,
        exchange: Exchange,
        kind: str,
        page: Page | None = None,
        details: dict[str, Any] | None = None,
    ) -> Reply:
        now = self.behaviour
        usual = {"seconds": now.timeout_seconds, "retry_after": now.retry_after}
        given = usual | (details or {})
        return Reply(kind, lambda: FAILURES[kind](exchange, page, given))

    def _poisoned(self, people: list[Person]) -> bool:
        """Return whether one of these people makes the request fail."""
        return not self.poisoned.isdisjoint(person.number for person in people)

    def _choose_fault(self, request: ParsedRequest, rng: random.Random) -> Fault | None:
        """Return the failure for this request, if any: a matching fault, or a random one."""
        now = self.behaviour
        with self.lock:
            for fault in now.faults:
                if fault.is_due(request, rng.random()):
                    return fault
        if rng.random() >= now.failure_rate or not now.failure_kinds:
            return None
        kinds, weights = zip(*now.failure_kinds.items(), strict=True)
        return Fault(rng.choices(kinds, weights)[0], behaviour.Match())

    def _apply_irregularities(self, request: ParsedRequest, page: Page, nth: int, rng: random.Random) -> None:
        """Apply the irregularities of a page that did not fail."""
        now = self.behaviour
        # Sometimes omit currentPage, status and message.
        page.spare = not now.spare_fields or (page.number * 7 + nth) % 10 != 3
        page.overall = max(0, page.overall + rng.randint(-now.total_drift, now.total_drift))
        if now.unknown_fields:
            page.data = [b'{"fresh": {"x": [1]}, %b' % record[1:] for record in page.data]
        page.data = reshape_records(now, page.data)
        if now.moves and request.key:
            self._move(request, now.moves)

    def _move(self, request: ParsedRequest, moves: dict[str, int]) -> None:
        with self.lock:
            self._served[request.key] += 1
            served = self._served[request.key]
        institution = answers.find_institution(self.population, request)
        if institution and served % moves.get("every", 1) == 0:
            rng = random.Random(f"{self.options.seed}/{request.key}/{served}")  # noqa: S311 - reproducible
            self.population.shuffle(institution, moves.get("count", 1), rng)
