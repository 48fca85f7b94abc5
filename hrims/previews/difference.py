"""What a preview comes to: counts and rows of the difference as values. Pure."""

from datetime import datetime
from typing import Any, Final, NamedTuple

KINDS: Final = (
    "new", "changed", "unchanged", "transfers", "returning", "missing", "rejected", "unmatched"
)  # fmt: skip
"""What a preview shows, in the order in which it shows it."""


class Difference(NamedTuple):
    """How many people a preview would add, change and leave as they are; how many of those it would move to
    another institution, and how many had left and would come back; how many are on the list and were not
    met; how many would have no institution; how many records are rejected. ``version`` is the same as long
    as all of it is.
    """

    new: int
    changed: int
    unchanged: int
    transfers: int
    returning: int
    missing: int
    unmatched: int
    rejected: int
    version: str

    @property
    def of_people(self) -> str:
        """The part of the version that speaks of people."""
        return self.version.partition("-")[0]

    @property
    def of_register(self) -> str:
        """The part of the version that says which institution each workplace's name means."""
        return self.version.partition("-")[2]


class Preview(NamedTuple):
    """A preview as it stands beside its run: the difference when it ended, what became of it, and the run
    that applies it, if any.
    """

    run_id: int
    version: str | None
    emptied_at: datetime | None
    emptied_why: str | None
    applied_by_run: int | None
    application_state: str | None
    later_run: int | None
    """The latest run of the same institution that ended after it."""

    @property
    def is_kept(self) -> bool:
        """Whether its people are still there to be looked at."""
        return self.emptied_at is None

    def changes_since(self, now: Difference) -> list[str]:
        """Why the difference is no longer the one of when the preview ended, in sentences; none if it is."""
        if self.version is None or self.version == now.version:
            return []
        people, _, register = self.version.partition("-")
        told = []
        if self.later_run:
            told.append(f"Run {self.later_run} of this institution ended since.")
        if register != now.of_register:
            told.append("The register, or what its names mean, changed since.")
        elif people != now.of_people and not self.later_run:
            told.append("Some of these people changed since.")
        return told


def person(row: tuple[Any, ...]) -> dict[str, Any]:
    """A person of the difference as pages and machines read it; ``changes`` is {field: [old, new]}."""
    zan_id, name, cadre, workplace, status, changes, from_, to, moves = row
    return {
        "zanId": zan_id,
        "name": name,
        "cadre": cadre,
        "workplace": workplace,
        "status": status,
        "changes": changes or {},
        "fromInstitution": from_,
        "institution": to,
        "moves": moves,
    }


NAMES: Final[dict[str, tuple[str, ...]]] = {
    "missing": ("zanId", "name", "cadre", "workplace", "status"),
    "unmatched": ("workplace", "people"),
    "rejected": ("record", "code", "field", "reason", "masked", "name", "payrollNumber", "workplace"),
}
"""What the columns of the other kinds are called."""


def entry(kind: str, row: tuple[Any, ...]) -> dict[str, Any]:
    """One row of the table of a kind."""
    return dict(zip(NAMES[kind], row, strict=True)) if kind in NAMES else person(row)
