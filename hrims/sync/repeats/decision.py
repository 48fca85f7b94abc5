"""Decides between records of one run that share a ZanID. Pure.

Input: digests. Output: rejects and the row to keep.

Two records that differ in name, birth date or payroll number belong to two people. The person who was saved
before this run keeps the ZanID if any pass met them. Otherwise the first person in the list keeps it. A
record of another person is rejected. A copy changes nothing. Records of one person in different passes are
not copies: the latest pass counts.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from hrims.employees.digest import extract_identity
from hrims.sync.store import EDGES


class Record(NamedTuple):
    """One saved record of an employee: its page, its position on the page (from 0), its digest."""

    reading: int
    page_size: int
    page_number: int
    position: int
    digest: int
    saved_at: float = 0.0
    """When its page was saved, in seconds."""

    @property
    def page(self) -> tuple[int, int, int]:
        """Pass, size and number of its page."""
        return self.reading, self.page_size, self.page_number

    @property
    def place(self) -> int:
        """Position in the whole list, from 0."""
        return self.page_size * self.page_number + self.position


class Decision(NamedTuple):
    """The records to reject, and the employee's state to keep, as an index.

    ``kept`` is the record that has that state. ``copies`` are the records of the person that differ from it.
    """

    rejected: tuple[Record, ...]
    state: int
    kept: Record
    copies: tuple[Record, ...]


def decide(
    records: Sequence[Record], states: Sequence[int], *, is_new: bool, known: Collection[int] = ()
) -> Decision:
    """Return the decision about the records of one ZanID. ``known`` are identities that have an open reject.

    ``states`` are the digests of the employee's row: before this run (or as this run added it), then after
    each change by this run. If no pass met the person who was there before, or the employee is new, the first
    person in the list keeps the ZanID.
    """
    listed = sorted(records, key=_place)
    before = listed[0].digest if is_new else states[0]
    owner = _owner(extract_identity(before), [extract_identity(record.digest) for record in listed], known)
    rejected = tuple(record for record in listed if extract_identity(record.digest) != owner)
    latest = _latest([record for record in listed if extract_identity(record.digest) == owner])
    same = [record for record in latest if record.digest == before] or latest
    kept = max(same, key=_order)
    copies = tuple(record for record in latest if record.digest != kept.digest)
    state = _state_to_keep({record.digest for record in latest}, before, states)
    return Decision(rejected, state, kept, copies)


def _owner(before: int, met: Sequence[int], known: Collection[int]) -> int:
    """Return the identity that keeps the ZanID: the one before this run, or the first that was met."""
    # A cancelled run may have left another person's record in the row. The reject of that person is known.
    candidates = [identity for identity in met if identity not in known] or met
    return before if before in candidates else candidates[0]


def _latest(records: list[Record]) -> list[Record]:
    """Return the records of one person in the latest pass that met them.

    EDGES reads a part of the list, and does not meet every copy. If all that it met is in the whole pass
    before it, nothing has changed.
    """
    last = max((record for record in records if record.reading != EDGES), key=_age, default=None)
    if last is None:
        return records
    whole = [record for record in records if record.reading == last.reading]
    edges = [record for record in records if record.reading == EDGES and _age(record) > _age(last)]
    met = {record.digest for record in whole}
    return edges if any(record.digest not in met for record in edges) else whole + edges


def _age(record: Record) -> tuple[float, int]:
    # By time: an attempt that resumes a run may read more of EDGES after pages of SECOND.
    return record.saved_at, record.reading


def _order(record: Record) -> tuple[tuple[float, int], int]:
    # A page saves the first of its records with one ZanID last.
    return _age(record), -record.position


def _place(record: Record) -> tuple[int, int]:
    return record.reading, record.place


def _state_to_keep(met: set[int], before: int, states: Sequence[int]) -> int:
    """Return the state before this run if it was met, so that copies write no history.

    Otherwise return the last state that was met.
    """
    if before in met and before in states:
        return states.index(before)
    return max((index for index, state in enumerate(states) if state in met), default=0)
