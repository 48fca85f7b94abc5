"""The list of one vote code, and how a server serves it in one run. Input: a phase and requests for pages.
Output: what to answer, and afterwards the truth: who was listed throughout, and who was sent.
"""

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.resilience.scenarios.wrong_servers import totals
from tests.resilience.scenarios.wrong_servers.paging import Paging
from tests.resilience.scenarios.wrong_servers.people import Person, Population

HONEST = Paging()

EMPTY_FORMS = ("[]", "null", "{}", "absent")
"""How the ``data`` of an answer without records may look."""

CURRENT_PAGES = ("absent", "as asked", "as sent")
"""What an answer says of its own number."""

FAILURES = ("body 500", "http 500", "http 503", "reset", "closed", "timeout")


@dataclass(frozen=True)
class Change:
    """What happens to the list before the answer to request number ``request``: ``add``, ``remove`` or
    ``move``. ``start`` and ``end`` are shares of the list.
    """

    request: int
    act: str
    start: float
    end: float


@dataclass(frozen=True)
class Phase:
    """One run: the page size it asks for, how the server serves it, and who left or joined before it."""

    page_size: int
    paging: Paging = HONEST
    total: str = totals.HONEST
    current_page: str = "absent"
    empty_form: str = "[]"
    failure_rate: float = 0.0
    failures: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    leave_before: int = 0
    join_before: int = 0

    @property
    def is_honest(self) -> bool:
        """Return whether a client that reads every page gets all people if nothing changes meanwhile."""
        return self.paging.name == HONEST.name and self.total == totals.HONEST


@dataclass(frozen=True)
class Reply:
    """What the server does: sends ``frame`` with ``records`` as a page, or fails as ``failure`` says."""

    frame: dict[str, Any] = field(default_factory=dict)
    records: Sequence[Person] = ()
    empty_form: str = "[]"
    failure: str | None = None


class Listing:
    """The true list of one vote code. Requests come from several threads."""

    def __init__(self, population: Population, people: Sequence[Person], seed: int) -> None:
        self._lock = threading.Lock()
        self._population, self._seed = population, seed
        self.people = list(people)
        self.phase = Phase(10)
        self.throughout: set[Person] = set()
        self.sent: set[Person] = set()
        self.asked: list[tuple[int, int]] = []
        self.bound = 0
        self._answered = 0
        self._tries: Counter[tuple[int, int]] = Counter()

    def begin(self, phase: Phase, bound: int) -> None:
        """Serve the next run like this; more than ``bound`` requests are refused (HTTP 401)."""
        with self._lock:
            rng = Random(f"between {self._seed} {len(self.people)}")
            for person in rng.sample(list(dict.fromkeys(self.people)), phase.leave_before):
                self.people = [one for one in self.people if one != person]
            for _ in range(phase.join_before):
                self.people.insert(rng.randrange(len(self.people) + 1), self._population.one())
            self.phase, self.bound, self._answered = phase, bound, 0
            self.throughout, self.sent = set(self.people), set()
            self.asked, self._tries = [], Counter()

    @property
    def is_overrun(self) -> bool:
        """Return whether the run asked for more pages than it may."""
        return len(self.asked) > self.bound

    def reply(self, number: int, size: int) -> Reply:
        """Answer one request for a page."""
        with self._lock:
            self.asked.append((number, size))
            for change in self.phase.changes:
                if change.request == len(self.asked):
                    self._change(change)
            if self.is_overrun:
                return Reply(failure="http 401")
            if failure := self._failure(number, size):
                return Reply(failure=failure)
            return self._page(number, size)

    def find(self, key: str) -> Person | None:
        """Return the listed person with this payroll number or ZanID."""
        with self._lock:
            return next(
                (person for person in self.people if key and key in {person.payroll, person.zan_id}), None
            )

    def _page(self, number: int, size: int) -> Reply:
        phase, count = self.phase, len(self.people)
        places = phase.paging.places(number, size, count)
        claim = totals.RULES[phase.total](totals.Answer(number, size, count, len(places), self._answered))
        records = [] if claim.hides else [self.people[place] for place in places]
        self._answered += 1
        self.sent.update(records)
        frame = {"currentDataSize": len(records), "overallDataSize": claim.total}
        if phase.current_page == "as asked":
            frame["currentPage"] = number
        elif phase.current_page == "as sent":
            frame["currentPage"] = places[0] // size if places else number
        return Reply(frame, records, phase.empty_form)

    def _failure(self, number: int, size: int) -> str | None:
        """Decide by seed and by how often this page was asked for, whatever the order of requests."""
        self._tries[number, size] += 1
        rng = Random(f"failure {self._seed} {number} {size} {self._tries[number, size]}")
        if not self.phase.failures or rng.random() >= self.phase.failure_rate:
            return None
        return rng.choice(self.phase.failures)

    def _change(self, change: Change) -> None:
        start, end = (int(share * len(self.people)) for share in (change.start, change.end))
        if change.act == "add":
            self.people.insert(end, self._population.one())
        elif change.act == "remove" and self.people:
            gone = self.people[start]
            self.people = [person for person in self.people if person != gone]
            self.throughout.discard(gone)
        elif change.act == "move" and self.people:
            self.people.insert(end, self.people.pop(start))
