"""Decides between records of one pass that share a ZanID: digests in; rejects and the row to keep out. Pure.

Two records that differ in name, birth date or payroll number are two people. The one that was saved before
this run keeps the ZanID; a record of another person is rejected. A copy changes nothing. Records of
different readings are no copies: the latest reading that met the employee counts. EDGES reads a part of the
list, so it replaces only the records whose positions it read again.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from hrims.employees.digest import identity_of
from hrims.sync.store import EDGES


class Record(NamedTuple):
    """One saved record of an employee: its page, its position on it (from 0), its digest."""

    reading: int
    page_size: int
    page_number: int
    position: int
    digest: int
    saved_at: float = 0.0
    """When its page was saved, in seconds."""
    is_reread: bool = False
    """Whether a page of EDGES that was saved later covers its place; only said if identities differ."""

    @property
    def page(self) -> tuple[int, int, int]:
        """Reading, size and number of its page."""
        return self.reading, self.page_size, self.page_number

    @property
    def place(self) -> int:
        """Position in the whole list, from 0."""
        return self.page_size * self.page_number + self.position


class Decision(NamedTuple):
    """Records to reject, and which of the employee's states to keep, as an index.

    ``kept`` is the record that has that state, if one was met, and ``copies`` are those that differ from it.
    """

    rejected: tuple[Record, ...]
    state: int
    kept: Record | None = None
    copies: tuple[Record, ...] = ()


def decide(
    records: Sequence[Record], states: Sequence[int], *, is_new: bool, known: Collection[int] = ()
) -> Decision:
    """Return what to do about the records of one ZanID. ``known`` are identities that have an open reject.

    ``states`` are the digests of the employee's row: as it was before this run (or as this run added it),
    then after each change by this run. For a new employee, the first record in the list keeps the
    ZanID.
    """
    latest = _latest(records)
    listed = _listed(latest, known)
    before = listed[0].digest if is_new else states[0]
    met = {identity_of(record.digest) for record in listed}
    # A run that was cancelled may have left another person's record in the row: their reject is known.
    identities = met.difference(known) or met
    owner: int | None = identity_of(before)
    if owner not in identities:
        owner = identities.pop() if len(identities) == 1 else None
    rejected = tuple(record for record in listed if identity_of(record.digest) != owner)
    earlier = [record for record in records if record not in latest]
    if owner is None and earlier:
        # All records of the latest reading are rejected: an earlier one is the last that met the employee.
        return decide(earlier, states, is_new=is_new, known=known)._replace(rejected=rejected)
    owned = _newest([record for record in latest if identity_of(record.digest) == owner])
    digests = {record.digest for record in owned}
    same = [record for record in owned if record.digest == before] or owned
    kept = max(same, key=_order, default=None)
    copies = tuple(record for record in owned if kept and record.digest != kept.digest)
    return Decision(rejected, _state_to_keep(digests, before, states), kept, copies)


def _latest(records: Sequence[Record]) -> list[Record]:
    """Return the records of the latest whole reading, and of EDGES if it was read later, in list order."""
    last = max((one for one in records if one.reading != EDGES), key=_age, default=None)
    if last is None:
        return sorted(records, key=_place)
    since = _age(last)
    latest = (one for one in records if one.reading == last.reading or _age(one) > since)
    return sorted(latest, key=_place)


def _listed(latest: list[Record], known: Collection[int]) -> list[Record]:
    """Return the records without those that EDGES did not meet again at their place.

    Where EDGES met only a person with an open reject, the owner may have moved out of its sight.
    """
    listed = [record for record in latest if not record.is_reread]
    return listed if any(identity_of(record.digest) not in known for record in listed) else latest


def _newest(records: list[Record]) -> list[Record]:
    """Return the records of one person in the latest reading that met them.

    EDGES does not meet every copy: if all that it met was there before, nothing has changed.
    """
    edges = [record for record in records if record.reading == EDGES]
    whole = {record.digest for record in records if record.reading != EDGES}
    return records if all(record.digest in whole for record in edges) else edges


def _age(record: Record) -> tuple[float, int]:
    # By time: an attempt that resumes a run may read more of EDGES after pages of SECOND.
    return record.saved_at, record.reading


def _order(record: Record) -> tuple[tuple[float, int], int]:
    # A page saves the first of its records with one ZanID last.
    return _age(record), -record.position


def _place(record: Record) -> int:
    return record.place


def _state_to_keep(met: set[int], before: int, states: Sequence[int]) -> int:
    """Return the state before this run if it was met, so that copies write no history, else the last one
    met.
    """
    if before in met and before in states:
        return states.index(before)
    return max((index for index, state in enumerate(states) if state in met), default=0)
