"""The desk that takes every question: counts it, lets it wait, lets it fail, or answers it."""

import random
import threading
from collections import Counter
from typing import Any

from hrims.simulator import answers, asking, behaviour, people
from hrims.simulator.answers import Page
from hrims.simulator.asking import Ask, BadAsk
from hrims.simulator.behaviour import Behaviour, Fault
from hrims.simulator.counters import Counters
from hrims.simulator.country import Country
from hrims.simulator.exchange import Exchange, Left
from hrims.simulator.failures import FAILURES
from hrims.simulator.gate import Gate
from hrims.simulator.options import Options

KINDS = set(FAILURES)
POISONED = Fault("body500", behaviour.Match())


class Desk:
    """One simulator: its country, its behaviour now, and what it counted."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.country = Country(options)
        self.counters = Counters()
        self.gate = Gate()
        self.lock = threading.Lock()
        self.behaviour = Behaviour()
        self.poisoned: frozenset[int] = frozenset()
        self._served: Counter[str] = Counter()
        self.change(dict(options.behaviour))

    def change(self, changes: Any) -> None:
        """Merges these changes into the behaviour. Raises Refused."""
        with self.lock:
            merged = behaviour.merged(self.behaviour, changes, KINDS)
            # People move between pages; whom the poison is in is settled when it is set.
            self.poisoned = frozenset(people.named(self.country, one) for one in merged.poison)
            self.behaviour = merged

    def add_fault(self, given: dict[str, Any]) -> None:
        """One more fault behind those that stand. Raises Refused."""
        with self.lock:
            fault = behaviour.fault(given, KINDS)
            self.behaviour = behaviour.with_fault(self.behaviour, fault)

    def restart(self) -> None:
        """Behaviour and counters as at the start, and nothing held."""
        self.gate.release()
        self.counters.reset()
        self.behaviour = Behaviour()
        self.change(dict(self.options.behaviour))

    def take(self, exchange: Exchange, client: int, headers: Any, body: bytes) -> None:
        """One question to ``/Employees``, from its arrival to its end."""
        request = self.counters.arrived(client)
        ask, outcome = None, "left"
        try:
            ask = asking.read(body)
            nth = self.counters.understood(request, ask)
            outcome = self._serve(exchange, ask, nth, headers)
        except BadAsk as reason:
            outcome = "body400"
            exchange.json(answers.failure(400, str(reason)))
        except Left:
            pass
        finally:
            self.counters.ended(request, ask, outcome)

    def _serve(self, exchange: Exchange, ask: Ask, nth: int, headers: Any) -> str:
        now = self.behaviour
        if refused := self._refusal(now, headers):
            FAILURES[refused](exchange, None, {})
            return refused
        luck = random.Random(f"{self.options.seed}/{ask}/{nth}")  # noqa: S311 - reproducible
        self._wait_at_gate(exchange, ask)
        if now.latency_ms or now.jitter_ms:
            late = now.latency_ms + luck.uniform(-now.jitter_ms, now.jitter_ms)
            exchange.pause(late / 1000)
        return self._answer(exchange, ask, nth, luck)

    def _refusal(self, now: Behaviour, headers: Any) -> str | None:
        wanted = {"ApiKey": self.options.api_key, "Token": self.options.token}
        if now.credentials == "expired":
            return "http403"
        if now.credentials == "wrong":
            return "http401"
        right = all(not value or headers.get(name) == value for name, value in wanted.items())
        return None if right else "http401"

    def _wait_at_gate(self, exchange: Exchange, ask: Ask) -> None:
        hold = self.gate.stops(ask)
        if hold is None:
            return
        self.counters.hold(1)
        try:
            while self.gate.still_held(hold, 0.05):
                exchange.check()
        finally:
            self.counters.hold(-1)

    def _answer(self, exchange: Exchange, ask: Ask, nth: int, luck: random.Random) -> str:
        if ask.operation not in asking.PAGED:
            return self._answer_one(exchange, ask, luck)
        page = answers.page(self.country, ask)
        if page is None:
            FAILURES["body404"](exchange, None, {})
            return "body404"
        self._disturb(ask, page, nth, luck)
        fault = self._due(ask, {person.number for person in page.people}, luck)
        if fault is None:
            exchange.json(page.encoded())
            return "ok"
        return self._fail(exchange, ask, page, fault)

    def _answer_one(self, exchange: Exchange, ask: Ask, luck: random.Random) -> str:
        person, answer = answers.one(self.country, ask)
        fault = self._due(ask, {person.number} if person else set(), luck)
        if fault:
            return self._fail(exchange, ask, None, fault)
        exchange.json(answer)
        return "ok" if answer["code"] == 200 else f"body{answer['code']}"

    def _fail(self, exchange: Exchange, ask: Ask, page: Page | None, fault: Fault) -> str:
        now = self.behaviour
        usual = {"seconds": now.timeout_seconds, "retry_after": now.retry_after}
        if fault.kind == "repeat_page" and page and page.number:
            before = answers.page(self.country, ask, page.number - 1)
            page.data = before.data if before else page.data
        FAILURES[fault.kind](exchange, page, usual | fault.details)
        return fault.kind

    def _due(self, ask: Ask, people: set[int], luck: random.Random) -> Fault | None:
        """The failure that this request meets, if any: poison, then an aimed one, then bad luck."""
        if people & self.poisoned:
            return POISONED
        now = self.behaviour
        with self.lock:
            for fault in now.faults:
                if fault.due(ask, luck.random()):
                    return fault
        if luck.random() >= now.failure_rate or not now.failure_kinds:
            return None
        kinds, weights = zip(*now.failure_kinds.items(), strict=True)
        return Fault(luck.choices(kinds, weights)[0], behaviour.Match())

    def _disturb(self, ask: Ask, page: Page, nth: int, luck: random.Random) -> None:
        """What is odd about a page that did not fail."""
        now = self.behaviour
        # currentPage, status and message are at times left out.
        page.spare = not now.spare_fields or (page.number * 7 + nth) % 10 != 3
        page.overall = max(0, page.overall + luck.randint(-now.total_drift, now.total_drift))
        if now.unknown_fields:
            page.data = [b'{"fresh": {"x": [1]}, %b' % one[1:] for one in page.data]
        if now.moves and ask.key:
            self._move(ask, now.moves)

    def _move(self, ask: Ask, moves: dict[str, int]) -> None:
        with self.lock:
            self._served[ask.key] += 1
            served = self._served[ask.key]
        institution = answers.listed(self.country, ask)
        if institution and served % moves.get("every", 1) == 0:
            luck = random.Random(f"{self.options.seed}/{ask.key}/{served}")  # noqa: S311 - the same
            self.country.shuffle(institution, moves.get("count", 1), luck)
