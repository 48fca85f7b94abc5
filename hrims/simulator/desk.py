"""The desk that takes every question: counts it, lets it wait, lets it fail, or answers it."""

import contextlib
import random
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from hrims.simulator import answers, asking, behaviour
from hrims.simulator.answers import Page
from hrims.simulator.asking import Ask, BadAsk
from hrims.simulator.behaviour import Behaviour, Fault
from hrims.simulator.counters import Counters
from hrims.simulator.country import Country, Person
from hrims.simulator.exchange import Exchange, Left
from hrims.simulator.failures import FAILURES, LASTING
from hrims.simulator.gate import Gate
from hrims.simulator.options import Options
from hrims.simulator.people import named
from hrims.simulator.reshape import reshaped

KINDS = set(FAILURES)


class Reply(NamedTuple):
    """How a question ends, and what sends its answer."""

    outcome: str
    give: Callable[[], None]


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
            self.poisoned = frozenset(named(self.country, one) for one in merged.poison)
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
        self._served.clear()
        self.behaviour = Behaviour()
        self.change(dict(self.options.behaviour))

    def take(self, exchange: Exchange, client: int, headers: Any, body: bytes) -> None:
        """One question to ``/Employees``, from its arrival to its end."""
        try:
            ask = asking.read(body)
        except BadAsk as reason:
            self.refuse(client, "body400")
            exchange.json(answers.failure(400, str(reason)))
            return
        request, nth = self.counters.arrived(client, ask)
        with contextlib.suppress(Left), self.counters.counting(request) as count:
            reply = self._reply(exchange, ask, nth, headers)
            # Counted before the client can know: it may ask its next question at once.
            if reply.outcome not in LASTING:
                count(reply.outcome)
            try:
                reply.give()
            finally:
                count(reply.outcome)  # whoever gives up on a failure has met it

    def refuse(self, client: int, outcome: str) -> None:
        """Counts a question that nobody looked at."""
        with self.counters.counting(self.counters.arrived(client)[0]) as count:
            count(outcome)

    def _reply(self, exchange: Exchange, ask: Ask, nth: int, headers: Any) -> Reply:
        now = self.behaviour
        if refused := self._refusal(now, headers):
            return self._failing(exchange, refused)
        luck = random.Random(f"{self.options.seed}/{ask}/{nth}")  # noqa: S311 - reproducible
        self._wait_at_gate(exchange, ask)
        if now.latency_ms or now.jitter_ms:
            late = now.latency_ms + luck.uniform(-now.jitter_ms, now.jitter_ms)
            exchange.pause(late / 1000)
        if ask.operation in asking.PAGED:
            return self._page(exchange, ask, nth, luck)
        return self._one(exchange, ask, luck)

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

    def _page(self, exchange: Exchange, ask: Ask, nth: int, luck: random.Random) -> Reply:
        page = answers.page(self.country, ask)
        if page is None:
            return self._failing(exchange, "body404")
        self._disturb(ask, page, nth, luck)
        if self._poisoned(page.people):
            return Reply("poison", self._failing(exchange, self.behaviour.poison_kind, page).give)
        if fault := self._due(ask, luck):
            if fault.kind == "repeat_page" and page.number:
                before = answers.page(self.country, ask, page.number - 1)
                page.data = before.data if before else page.data
            return self._failing(exchange, fault.kind, page, fault.details)
        return Reply("ok", lambda: exchange.json(page.encoded()))

    def _one(self, exchange: Exchange, ask: Ask, luck: random.Random) -> Reply:
        person, answer = answers.one(self.country, ask)
        if person and self._poisoned([person]):
            return Reply("poison", self._failing(exchange, self.behaviour.poison_kind).give)
        if fault := self._due(ask, luck):
            return self._failing(exchange, fault.kind, None, fault.details)
        outcome = "ok" if answer["code"] == 200 else f"body{answer['code']}"
        return Reply(outcome, lambda: exchange.json(answer))

    def _failing(
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
        """Whether one of these people makes the request fail."""
        return not self.poisoned.isdisjoint(person.number for person in people)

    def _due(self, ask: Ask, luck: random.Random) -> Fault | None:
        """The failure that this request meets, if any: an aimed one, or bad luck."""
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
        page.data = reshaped(now, page.data)
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
