"""Rules that define a change. Input: the counts of a run and of the previous run. Output: changes with
messages. Pure.

docs/how-to/read-drift.md describes the same rules for users; keep the two consistent.
"""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from hrims.employees.fields import get_label

MIN_SAMPLE: Final = 20
"""Number of employees, or of sampled records, below which shares prove nothing."""

MIN_CHANGED: Final = 5
"""Minimum number of employees for which a field became empty or filled."""

JUMP: Final = 0.10
"""Difference between two shares of empty values that is a change."""

SMALL_JUMP: Final = 0.02
MIN_RATIO: Final = 3
"""An increase of SMALL_JUMP is also a change if the share is at least MIN_RATIO times its previous value."""

USUAL_SHARE: Final = 0.5
"""Minimum share of the records that had a field in the previous run, for its absence to be a change."""

MIN_RETYPED: Final = 3
RETYPED_SHARE: Final = 0.1
"""Minimum number, or minimum share, of records with a wrong type in one field. From there on HRIMS has
changed; below, single records are wrong.
"""


class RunCounts(NamedTuple):
    """The counts of a run.

    ``filled`` counts its ``people`` by column. ``present`` and ``unknown`` count the ``sampled`` records by
    path. ``retyped`` counts all its ``records`` by path. A name that is absent from ``filled`` or ``present``
    was not counted: the version that ran did not know it.
    """

    records: int
    people: int
    sampled: int
    filled: dict[str, int]
    present: dict[str, int]
    unknown: dict[str, int]
    retyped: dict[str, int]

    def empty(self, column: str) -> float:
        """Return the share of employees without this column."""
        return 1 - self.filled.get(column, 0) / self.people if self.people else 0.0

    def sent(self, path: str) -> float:
        """Return the share of the sampled records that have this field."""
        return self.present.get(path, 0) / self.sampled if self.sampled else 0.0


class Change(NamedTuple):
    """One change.

    ``kind`` is new_field, missing_field, wrong_type, emptier or fuller. ``now`` and ``before`` are shares of
    records from 0 to 1. ``before`` is None if it is unknown.
    """

    kind: str
    field: str
    now: float
    before: float | None
    message: str


def find_changes(now: RunCounts, before: RunCounts | None, met_before: Iterable[str] = ()) -> list[Change]:
    """Return the changes since the previous run. ``met_before``: the unknown fields of all earlier runs."""
    found = [*_retyped(now, before)]
    if before:
        found += [*_new(now, before, set(met_before)), *_missing(now, before), *_jumps(now, before)]
    return found


def summarize(messages: list[str], limit: int = 5) -> str:
    """Return one sentence with the first ``limit`` messages of changes, and the number of the others."""
    shown = messages[:limit]
    if len(messages) > limit:
        shown.append(f"{len(messages) - limit} more")
    return f"HRIMS' answers have changed: {'; '.join(shown)}."


def _new(now: RunCounts, before: RunCounts, met_before: set[str]) -> Iterator[Change]:
    for path, times in sorted(now.unknown.items()):
        known = path in before.unknown or path in before.present or path in met_before
        if not known:
            yield Change("new_field", path, _share(times, now.sampled), 0.0, f"new field {path}")


def _missing(now: RunCounts, before: RunCounts) -> Iterator[Change]:
    if min(now.sampled, before.sampled) < MIN_SAMPLE:
        return
    both = before.present.keys() & now.present.keys()
    gone = {path for path in both if before.sent(path) >= USUAL_SHARE and not now.sent(path)}
    for path in sorted(gone):
        # If the whole part is missing, do not report each of its fields.
        if path.rpartition(".")[0] not in gone:
            yield Change("missing_field", path, 0.0, before.sent(path), f"field {path} is no longer sent")


def _retyped(now: RunCounts, before: RunCounts | None) -> Iterator[Change]:
    for path, times in sorted(now.retyped.items()):
        is_frequent = times >= MIN_RETYPED or _share(times, now.records) >= RETYPED_SHARE
        earlier = before.retyped.get(path, 0) if before else 0
        if is_frequent and times > 2 * earlier:
            share = _share(earlier, before.records) if before else None
            noun = "record" if times == 1 else "records"
            message = f"{path} is of another type in {times:,} {noun}"
            yield Change("wrong_type", path, _share(times, now.records), share, message)


def _jumps(now: RunCounts, before: RunCounts) -> Iterator[Change]:
    smaller = min(now.people, before.people)
    if smaller < MIN_SAMPLE:
        return
    for column in (name for name in now.filled if name in before.filled):
        is_, was = now.empty(column), before.empty(column)
        if abs(is_ - was) * smaller >= MIN_CHANGED - 1e-9 and _jumped(is_, was):
            message = f"{get_label(column)} empty in {is_:.0%} of records, {was:.0%} last time".replace(
                "%", " %"
            )
            yield Change("emptier" if is_ > was else "fuller", column, is_, was, message)


def _jumped(now: float, before: float) -> bool:
    return abs(now - before) >= JUMP - 1e-9 or (now - before >= SMALL_JUMP and now >= MIN_RATIO * before)


def _share(times: int, of: int) -> float:
    return round(times / of, 4) if of else 0.0
