"""Scenarios: a seed comes in, a listing and everything that goes wrong while it is read go out. Pure."""

from dataclasses import dataclass
from random import Random
from typing import Any

KINDS: dict[str, dict[str, Any]] = {
    "body500": {},
    "http429": {"retry_after": 1},
    "http500": {},
    "http502": {},
    "http503": {"retry_after": 1},
    "http504": {},
    "timeout": {"seconds": 1.6},
    "reset": {},
    "closed": {},
    "half_json": {},
    "cut_short": {},
    "html": {},
    "empty": {},
    "garbage": {},
    "slow_drip": {"bytes": 20_000, "pause_ms": 10},
    "endless": {},
    "repeat_page": {},
    "short_page": {},
    "wrong_page_number": {},
    "too_many_records": {"records": 1200},
    "wrong_total": {},
    "data_null": {},
    "data_text": {},
    "not_an_object": {},
    "wrong_types": {},
    "odd_record": {},
}
"""Every failure of the simulator that is worth another try; 400, 401, 403 and 404 end a run at once."""

MAIMING = {"wrong_types", "odd_record"}
"""These spoil one record of a page that is right otherwise: a reject, and the client cannot know better."""

SIZES = (25, 50, 75, 100, 100, 200, 500)


@dataclass(frozen=True)
class Change:
    """What happens to the listing after so many requests: ``add``, ``remove``, ``move`` or ``swap`` (one goes
    and another comes before anybody can look at the total); ``at`` and ``to`` are shares of the listing.
    """

    after: int
    act: str
    at: float
    to: float


@dataclass(frozen=True)
class Scenario:
    """One listing and its troubles."""

    seed: int
    size: int
    page_size: int
    rate: float
    faults: tuple[dict[str, Any], ...]
    poison: int
    twice: int
    without_key: int
    wrong_typed: int
    moves: dict[str, int] | None
    drift: int
    changes: tuple[Change, ...]

    @property
    def pages(self) -> int:
        """Return the pages that one calm reading takes."""
        return -(-self.size // self.page_size)

    @property
    def may_stay_open(self) -> bool:
        """Return whether a reader may be unable to prove that the list is complete.

        This is so if people join or leave during a pass, if the total is sometimes wrong, if the list never
        stays the same, or if each pass spoils other records.
        """
        comes_or_goes = any(change.act != "move" for change in self.changes)
        lies = any(fault["kind"] == "wrong_total" for fault in self.faults)
        return bool(self.drift) or lies or comes_or_goes or bool(self.moves) or self.maims

    @property
    def maims(self) -> bool:
        """Return whether some answers spoil a record on their way."""
        return any(fault["kind"] in MAIMING for fault in self.faults)


def draw(seed: int) -> Scenario:
    """Return the scenario of this seed, always the same."""
    luck = Random(f"scenario {seed}")
    size = luck.choice([500, 6408, luck.randint(500, 1500), luck.randint(500, 3000), luck.randint(500, 6408)])
    page_size = luck.choice(SIZES)
    rate = luck.choice([0.0, luck.uniform(0.02, 0.12), luck.uniform(0.0, 0.3), 0.3])
    pages = -(-size // page_size)
    return Scenario(
        seed=seed,
        size=size,
        page_size=page_size,
        rate=rate,
        faults=_faults(luck, rate),
        poison=luck.choice([0, 0, 0, 1, 2, luck.randint(0, 5)]),
        twice=luck.choice([0, 0, 0, 0, 1, 3]),
        without_key=luck.choice([0, 0, 2, 5]),
        wrong_typed=luck.choice([0, 0, 1, 3]),
        moves=_moves(luck, pages),
        drift=luck.choice([0] * 14 + [1, 3]),
        changes=_changes(luck, pages),
    )


def _faults(luck: Random, rate: float) -> tuple[dict[str, Any], ...]:
    kinds = luck.sample(sorted(KINDS), luck.randint(2, 6)) if rate else []
    return tuple({"kind": kind, "rate": round(rate / len(kinds), 4), **KINDS[kind]} for kind in kinds)


def _moves(luck: Random, pages: int) -> dict[str, int] | None:
    if luck.random() >= 0.2:
        return None
    return {"every": luck.randint(2, max(3, pages // 2)), "count": luck.randint(1, 3)}


def _changes(luck: Random, pages: int) -> tuple[Change, ...]:
    acts = luck.choice([["move"], ["add", "remove"], ["add"], ["remove"], ["swap"], ["swap"]])
    count = luck.choice([0, 0, 0, 0, 0, 1, 2, 4])
    moments = sorted(luck.randint(1, max(2, pages)) for _ in range(count))
    return tuple(Change(at, luck.choice(acts), luck.random(), luck.random()) for at in moments)
