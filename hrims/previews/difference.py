"""Types of the difference that a preview shows: counts and rows. Pure."""

from datetime import datetime
from typing import Any, Final, NamedTuple

KINDS: Final = (
    "new", "changed", "unchanged", "transfers", "returning", "missing", "rejected", "unmatched"
)  # fmt: skip
"""The kinds of rows that a preview shows, in display order."""


class Difference(NamedTuple):
    """The number of employees that a preview would affect, by kind.

    It would add ``new``, change ``changed`` and leave ``unchanged``. Of these, ``transfers`` would move to
    another institution. ``returning`` had left and would come back. ``missing`` are on the list and were not
    met. ``unmatched`` would have no institution. ``rejected`` counts records. ``version`` stays the same as
    long as the whole difference does.
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
        """Return the part of the version that depends on the employees."""
        return self.version.partition("-")[0]

    @property
    def of_register(self) -> str:
        """Return the part of the version that depends on the institutions of the workplaces."""
        return self.version.partition("-")[2]


class Preview(NamedTuple):
    """The state of a preview besides its run.

    It has the version of the difference when the preview ended, the reason why it was emptied, and the run
    that applies it, if any.
    """

    run_id: int
    version: str | None
    emptied_at: datetime | None
    emptied_why: str | None
    applied_by_run: int | None
    application_state: str | None
    later_run: int | None
    """The latest run of the same institution that ended after the preview."""

    @property
    def is_kept(self) -> bool:
        """Return whether its employees are still saved."""
        return self.emptied_at is None

    def changes_since(self, now: Difference) -> list[str]:
        """Return sentences that explain why the difference has changed since the preview ended, if it has."""
        if self.version is None or self.version == now.version:
            return []
        people, _, register = self.version.partition("-")
        messages = []
        if self.later_run:
            messages.append(f"Run {self.later_run} of this institution ended since.")
        if register != now.of_register:
            messages.append("The register, or what its names mean, changed since.")
        elif people != now.of_people and not self.later_run:
            messages.append("Some of these people changed since.")
        return messages


def to_person(row: tuple[Any, ...]) -> dict[str, Any]:
    """Return an employee of the difference for pages and API. ``changes`` is {field: [old, new]}."""
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
"""The column names of the other kinds."""


def to_entry(kind: str, row: tuple[Any, ...]) -> dict[str, Any]:
    """Return one row of the table of a kind."""
    return dict(zip(NAMES[kind], row, strict=True)) if kind in NAMES else to_person(row)
