"""Scenarios. Input: a seed. Output: a list, a wrong behaviour, and one to three runs of it. Pure.

Even seeds look at the edges between pages in every run, so that their lists may change in any way. Odd seeds
run with the product's default, under which only changes that show in the total can be noticed.
"""

from dataclasses import dataclass, replace
from random import Random

from tests.resilience.scenarios.wrong_servers import paging, totals
from tests.resilience.scenarios.wrong_servers.listing import (
    CURRENT_PAGES,
    EMPTY_FORMS,
    FAILURES,
    Change,
    Phase,
)
from tests.resilience.scenarios.wrong_servers.paging import Paging
from tests.resilience.scenarios.wrong_servers.people import CLASHES

PAGE_SIZES = (10, 20, 25, 40, 50)

CHANGED_BETWEEN = 10
"""Records by which a list may shrink between two runs."""

HARMLESS = "nothing wrong"

EMPTY = {f"empty list, data {form}": form for form in EMPTY_FORMS}

CLASH = {f"one ZanID, two people: {field}": field for field in CLASHES}

TWICE = {"a few listed twice": 100, "many listed twice": 20}
"""How many records one repeated record stands among."""

UNNOTICEABLE = {
    (page_rule, "total so far")
    for page_rule in ("deep pages empty", "gap of one", "offset by a fixed stride")
}
"""Both rules together describe a shorter list without any contradiction: no client can notice."""

KINDS = (
    HARMLESS,
    *(name for name in paging.RULES if name != paging.HONEST),
    *(name for name in totals.RULES if name != totals.HONEST),
    *CLASH,
    *TWICE,
    *EMPTY,
)
"""The main behaviour of a scenario; seeds take them in turn."""


@dataclass(frozen=True)
class Scenario:
    """A list and the runs that read it. ``kind`` is the main behaviour, ``labels`` name all of them."""

    seed: int
    kind: str
    labels: tuple[str, ...]
    count: int
    twice: int
    keyless: int
    clashes: tuple[str, ...]
    phases: tuple[Phase, ...]
    is_keyless_last: bool = False
    """Whether the people without a ZanID stand at the end of the list."""

    @property
    def looks_at_edges(self) -> bool:
        return self.seed % 2 == 0

    @property
    def is_provable(self) -> bool:
        """Return whether every run can be complete: transient failures, at most 1 % repeated records."""
        are_few = not self.twice or 100 * self.twice <= self.count - CHANGED_BETWEEN
        return are_few and all(phase.is_honest and not phase.changes for phase in self.phases)


def draw(seed: int) -> Scenario:
    """Return the scenario of this seed, always the same."""
    rng = Random(f"wrong server {seed}")
    kind = KINDS[seed % len(KINDS)]
    page_size = rng.choice(PAGE_SIZES)
    count = _count(rng, kind, page_size)
    scenario = Scenario(
        seed=seed,
        kind=kind,
        labels=(),
        count=count,
        twice=max(1, count // TWICE[kind]) if kind in TWICE else _maybe(rng, 0.2, count // 100),
        keyless=_maybe(rng, 0.3, min(count // 20, 4)),
        clashes=_clashes(rng, kind, count),
        phases=_history(rng, _wrong_phase(rng, kind, page_size, count, seed), kind),
    )
    return replace(scenario, labels=_labels(scenario))


def _count(rng: Random, kind: str, page_size: int) -> int:
    """Return a number of records, often a multiple of the page size: without a short last page."""
    if kind in EMPTY:
        return 0
    if rng.random() < 0.4:
        return page_size * rng.randint(100 // page_size, 400 // page_size)
    return rng.randint(100 if kind in TWICE else 50, 400)


def _maybe(rng: Random, probability: float, limit: int) -> int:
    return rng.randint(1, limit) if rng.random() < probability and limit > 0 else 0


def _clashes(rng: Random, kind: str, count: int) -> tuple[str, ...]:
    if kind in CLASH:
        return (CLASH[kind],) * rng.randint(1, 3)
    return tuple(rng.choice(CLASHES) for _ in range(_maybe(rng, 0.12, min(2, count))))


def _wrong_phase(rng: Random, kind: str, page_size: int, count: int, seed: int) -> Phase:
    page_rule, total_rule = _rules(rng, kind)
    return Phase(
        page_size=page_size,
        paging=Paging(page_rule, _parameter(rng, page_rule, page_size, count)),
        total=total_rule,
        current_page=rng.choice(CURRENT_PAGES),
        empty_form=EMPTY.get(kind, "[]"),
        failure_rate=rng.choice([0.0, 0.0, 0.05, 0.15]),
        failures=tuple(rng.sample(FAILURES, 2)),
        changes=_changes(rng, page_size, count, seed) if rng.random() < 0.3 else (),
    )


def _rules(rng: Random, kind: str) -> tuple[str, str]:
    """Return the main behaviour's rules; in a quarter of the scenarios a second one joins it."""
    page_rule = kind if kind in paging.RULES else paging.HONEST
    total_rule = kind if kind in totals.RULES else totals.HONEST
    if kind != HARMLESS and kind not in EMPTY and rng.random() < 0.25:
        if page_rule == paging.HONEST:
            page_rule = rng.choice(list(paging.RULES))
        else:
            total_rule = rng.choice(list(totals.RULES))
    if (page_rule, total_rule) in UNNOTICEABLE:
        return page_rule, totals.HONEST
    return page_rule, total_rule


def _parameter(rng: Random, rule: str, page_size: int, count: int) -> int:
    """Return a cap, step, stride, surplus or limit that matters at this page size."""
    if rule == "more than asked":
        return rng.randint(1, 10)
    if rule == "size ignored":
        return rng.choice([page_size // 2, page_size - 1, page_size + 5])
    if rule == "offset by a fixed stride":
        return rng.randint(max(1, page_size // 2), 2 * page_size)
    if rule.startswith("deep pages"):
        return rng.randint(page_size + 1, max(page_size + 2, count - 1))
    return rng.choice([page_size // 2, page_size - 1, rng.randint(3, page_size - 1)])


def _changes(rng: Random, page_size: int, count: int, seed: int) -> tuple[Change, ...]:
    """Change during the first two readings of the pages; those of odd seeds all show in the total."""
    acts = rng.choice(
        [["add"], ["remove"]] if seed % 2 else [["move"], ["add", "remove"], ["add"], ["remove"]]
    )
    latest = max(2, 2 * count // page_size)
    moments = sorted(rng.sample(range(1, latest + 1), rng.randint(1, min(4, latest))))
    return tuple(Change(moment, rng.choice(acts), rng.random(), rng.random()) for moment in moments)


def _history(rng: Random, wrong: Phase, kind: str) -> tuple[Phase, ...]:
    """Return one to three runs; an honest run before the wrong ones makes people who can be missed."""
    runs = rng.choice([1, 2, 3, 3])
    if kind in EMPTY or runs < 3:
        return (wrong,) * min(runs, 2)
    honest = Phase(rng.choice([wrong.page_size, *PAGE_SIZES]))
    leave, join = rng.choice([(0, 0), (0, 0), (2, 1), (0, 3)])
    return honest, replace(wrong, leave_before=leave, join_before=join), wrong


def _labels(scenario: Scenario) -> tuple[str, ...]:
    wrong = scenario.phases[-1]
    found = {
        f"{wrong.paging.name} ({wrong.paging.parameter})": wrong.paging.name != paging.HONEST,
        wrong.total: wrong.total != totals.HONEST,
        f"current page {wrong.current_page}": wrong.paging.name != paging.HONEST,
        f"{scenario.twice} listed twice": scenario.twice,
        f"{scenario.keyless} without a ZanID": scenario.keyless,
        f"two people with one ZanID ({', '.join(scenario.clashes)})": scenario.clashes,
        f"data {wrong.empty_form}": wrong.empty_form != "[]",
        f"{wrong.failure_rate:.0%} of {', '.join(wrong.failures)}": wrong.failure_rate,
        f"list changes ({', '.join(change.act for change in wrong.changes)})": wrong.changes,
    }
    return tuple(label for label, is_there in found.items() if is_there) or (HARMLESS,)
