"""What a change is: the counts of a run and of the one before come in, changes in words go out. Pure.

docs/drift.md says the same to people; keep the two together.
"""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

FEWEST: Final = 20
"""People, or records of a sample, below which shares say nothing."""

FEWEST_OTHERS: Final = 5
"""People at least in whom a field became empty or filled."""

JUMP: Final = 0.10
"""A share of empty values that differs by so much has jumped."""

SMALL_JUMP: Final = 0.02
TIMES: Final = 3
"""So has one that grew by so much, and to so many times of what it was."""

USUAL: Final = 0.5
"""Share of the records in which a field must have been to be missed."""

FEWEST_RETYPED: Final = 3
RETYPED: Final = 0.1
"""Records with a wrong type in one field, or their share, from which HRIMS has changed and not a record."""


class Measured(NamedTuple):
    """The counts of a run: ``filled`` of its ``people`` by column; ``present`` and ``unknown`` of the
    ``sampled`` records by path; ``retyped`` of all its ``records`` by path. A name that is absent from
    ``filled`` or ``present`` was not counted: the version that ran did not know it.
    """

    records: int
    people: int
    sampled: int
    filled: dict[str, int]
    present: dict[str, int]
    unknown: dict[str, int]
    retyped: dict[str, int]

    def empty(self, column: str) -> float:
        """The share of people without this column."""
        return 1 - self.filled.get(column, 0) / self.people if self.people else 0.0

    def sent(self, path: str) -> float:
        """The share of the sample with this field."""
        return self.present.get(path, 0) / self.sampled if self.sampled else 0.0


class Change(NamedTuple):
    """One change: ``kind`` is new_field, missing_field, wrong_type, emptier or fuller; ``now`` and ``before``
    are shares of records from 0 to 1, ``before`` None where nothing is known.
    """

    kind: str
    field: str
    now: float
    before: float | None
    message: str


def changes(now: Measured, before: Measured | None, met_before: Iterable[str] = ()) -> list[Change]:
    """What has changed since the run before; ``met_before`` are the unknown fields of all earlier runs."""
    found = [*_retyped(now, before)]
    if before:
        found += [*_new(now, before, set(met_before)), *_missing(now, before), *_jumps(now, before)]
    return found


def told(messages: list[str], most: int = 5) -> str:
    """The messages of changes in one sentence, the first few of them."""
    words = messages[:most]
    if len(messages) > most:
        words.append(f"{len(messages) - most} more")
    return f"HRIMS' answers have changed: {'; '.join(words)}."


def _new(now: Measured, before: Measured, met_before: set[str]) -> Iterator[Change]:
    for path, times in sorted(now.unknown.items()):
        known = path in before.unknown or path in before.present or path in met_before
        if not known:
            yield Change("new_field", path, _share(times, now.sampled), 0.0, f"new field {path}")


def _missing(now: Measured, before: Measured) -> Iterator[Change]:
    if min(now.sampled, before.sampled) < FEWEST:
        return
    both = before.present.keys() & now.present.keys()
    gone = {path for path in both if before.sent(path) >= USUAL and not now.sent(path)}
    for path in sorted(gone):
        # With its part, a field is gone too; that need not be said of each.
        if path.rpartition(".")[0] not in gone:
            yield Change("missing_field", path, 0.0, before.sent(path), f"field {path} is no longer sent")


def _retyped(now: Measured, before: Measured | None) -> Iterator[Change]:
    for path, times in sorted(now.retyped.items()):
        often = times >= FEWEST_RETYPED or _share(times, now.records) >= RETYPED
        earlier = before.retyped.get(path, 0) if before else 0
        if often and times > 2 * earlier:
            share = _share(earlier, before.records) if before else None
            noun = "record" if times == 1 else "records"
            message = f"{path} is of another type in {times:,} {noun}"
            yield Change("wrong_type", path, _share(times, now.records), share, message)


def _jumps(now: Measured, before: Measured) -> Iterator[Change]:
    few = min(now.people, before.people)
    if few < FEWEST:
        return
    for column in (name for name in now.filled if name in before.filled):
        is_, was = now.empty(column), before.empty(column)
        if abs(is_ - was) * few >= FEWEST_OTHERS - 1e-9 and _jumped(is_, was):
            message = f"{column} empty in {is_:.0%} of records, {was:.0%} last time".replace("%", " %")
            yield Change("emptier" if is_ > was else "fuller", column, is_, was, message)


def _jumped(now: float, before: float) -> bool:
    return abs(now - before) >= JUMP - 1e-9 or (now - before >= SMALL_JUMP and now >= TIMES * before)


def _share(times: int, of: int) -> float:
    return round(times / of, 4) if of else 0.0
