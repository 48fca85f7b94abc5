"""Decides between records of one pass that share a ZanID: digests in; rejects and the row to keep out. Pure.

Two records that differ in name, birth date or payroll number are two people. The one that was saved before
this run keeps the ZanID; a record of another person is rejected. A copy changes nothing.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from hrims.employees.digest import identity_of


class Record(NamedTuple):
    """One saved record of an employee: its page, its position on it (from 0), its digest."""

    reading: int
    page_size: int
    page_number: int
    position: int
    digest: int

    @property
    def place(self) -> int:
        """Position in the whole list, from 0."""
        return self.page_size * self.page_number + self.position


class Decision(NamedTuple):
    """Records to reject, and which of the employee's states to keep, as an index."""

    rejected: tuple[Record, ...]
    state: int


def decide(
    records: Sequence[Record], states: Sequence[int], *, is_new: bool, known: Collection[int] = ()
) -> Decision:
    """Return what to do about the records of one ZanID. ``known`` are identities that have an open reject.

    ``states`` are the digests of the employee's row: as it was before this run (or as this run added it),
    then after each change by this run. For a new employee, the first record in the list keeps the
    ZanID.
    """
    latest = _latest(records)
    before = latest[0].digest if is_new else states[0]
    met = {identity_of(record.digest) for record in latest}
    # A run that was cancelled may have left another person's record in the row: their reject is known.
    identities = met.difference(known) or met
    owner: int | None = identity_of(before)
    if owner not in identities:
        owner = identities.pop() if len(identities) == 1 else None
    rejected = tuple(record for record in latest if identity_of(record.digest) != owner)
    kept = {record.digest for record in latest} - {record.digest for record in rejected}
    return Decision(rejected, _state_to_keep(kept, before, states))


def _latest(records: Sequence[Record]) -> list[Record]:
    """Return the last reading of each place, in list order: one record may change between two readings."""
    by_place = {record.place: record for record in sorted(records)}
    return sorted(by_place.values(), key=lambda record: record.place)


def _state_to_keep(met: set[int], before: int, states: Sequence[int]) -> int:
    """Return the state before this run if it was met, so that copies write no history, else the last one
    met.
    """
    if before in met and before in states:
        return states.index(before)
    return max((index for index, state in enumerate(states) if state in met), default=0)
