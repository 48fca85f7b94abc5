"""Departures as pages and API show them. Pure."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class DepartureView:
    """A departure as pages show it.

    ``missing`` of its ``people`` are still not on the list; the others came back. The institution's other
    number lists the ``unlisted`` ones. It ``is_in_effect`` while at
    least one employee's listing is ended by it.
    """

    id: int
    institution_id: int
    institution: str
    identifier_type: str
    run_id: int
    asked_by: str
    state: str
    why: str | None
    listed: int
    people: int
    leavers: int
    transfers: int
    created_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    undone_by: str | None
    undone_at: datetime | None
    requester_ids: list[int]
    unlisted: int
    is_in_effect: bool
    missing: int

    @property
    def share(self) -> float:
        """Return the employees of this departure in per cent of the list."""
        return round(100 * self.people / self.listed, 1) if self.listed else 100.0

    def is_requested_by(self, user_id: int | None) -> bool:
        """Return whether the user asked for the run, and therefore cannot approve."""
        return user_id in self.requester_ids

    @property
    def can_be_undone(self) -> bool:
        return self.state in {"applied", "approved"} and self.is_in_effect
