"""Checks which two runs can be compared. Input: two run ids. Output: the pair, the earlier run first."""

from typing import NamedTuple

from hrims.access.scope import Scope
from hrims.db import Connection
from hrims.errors import Conflict, InvalidInput, NotFound, Unprocessable
from hrims.runs.compare import store
from hrims.runs.compare.store import Side


class Pair(NamedTuple):
    """Two runs of one institution. ``a`` ended first."""

    a: Side
    b: Side


REFUSALS = {
    "preview": (
        "Run {} is a preview: it saved no employee, so there is nothing to compare. Look at the preview."
    ),
    "rejected": "Run {} fetched only the pages with rejects again, so it does not have all people.",
    "person": "Run {} brought one person, so there is nothing to compare.",
}


def find_pair(conn: Connection, scope: Scope, first: int, second: int) -> Pair:
    """Return the two runs.

    Raises InvalidInput unless the ids differ; NotFound for an unknown run; Conflict for an unfinished run;
    Unprocessable for runs that cannot be compared.
    """
    if first == second:
        raise InvalidInput("Choose two different runs.", "same_run")
    a, b = _find_side(conn, scope, first), _find_side(conn, scope, second)
    if a.institution_id != b.institution_id:
        raise Unprocessable(
            f"Run {a.id} is of {a.institution} and run {b.id} of {b.institution}. "
            "Only runs of one institution can be compared.",
            "different_institutions",
        )
    return Pair(*sorted((a, b), key=lambda side: (side.finished_at, side.id)))


def _find_side(conn: Connection, scope: Scope, id_: int) -> Side:
    found = store.find_side(conn, scope, id_)
    if not found:
        raise NotFound(f"There is no run {id_}.", "unknown_job")
    if found.kind in REFUSALS:
        raise Unprocessable(REFUSALS[found.kind].format(id_), "not_comparable")
    if not found.finished_at:
        raise Conflict(f"Run {id_} has not ended yet. Compare it when it has.", "under_way")
    if found.pruned_at:
        raise Unprocessable(
            f"Run {id_} ended so long ago that its pages were deleted; its summary is kept.", "pruned"
        )
    return found
