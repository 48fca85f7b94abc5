"""Which two runs can be compared: their numbers come in, the pair goes out, the earlier run first."""

from typing import NamedTuple

from hrims.compare import store
from hrims.compare.store import Side
from hrims.db import Connection
from hrims.errors import Conflict, InvalidInput, NotAcceptable, NotFound


class Pair(NamedTuple):
    """Two runs of one institution; ``a`` ended first."""

    a: Side
    b: Side


REFUSED = {
    "preview": "Run {} is a preview: it saved nobody, so there is nothing to compare. Look at the preview.",
    "rejected": "Run {} asked only for the pages with rejects again, so it did not meet everybody.",
    "person": "Run {} brought one person, so there is nothing to compare.",
}


def pair(conn: Connection, one: object, other: object) -> Pair:
    """The two runs. Raises InvalidInput for what are no two numbers of runs, NotFound for an unknown one,
    Conflict for one that is under way, NotAcceptable for runs that cannot be compared.
    """
    ids = _number(one), _number(other)
    if ids[0] == ids[1]:
        raise InvalidInput("Choose two different runs.", "same_run")
    a, b = (_side(conn, id_) for id_ in ids)
    if a.institution_id != b.institution_id:
        raise NotAcceptable(
            f"Run {a.id} is of {a.institution} and run {b.id} of {b.institution}. "
            "Only runs of one institution can be compared.",
            "different_institutions",
        )
    return Pair(*sorted((a, b), key=lambda side: (side.finished_at, side.id)))


def _side(conn: Connection, id_: int) -> Side:
    found = store.side(conn, id_)
    if not found:
        raise NotFound(f"There is no run {id_}.", "unknown_job")
    if found.kind in REFUSED:
        raise NotAcceptable(REFUSED[found.kind].format(id_), "not_comparable")
    if not found.finished_at:
        raise Conflict(f"Run {id_} has not ended yet. Compare it when it has.", "under_way")
    if found.pruned_at:
        raise NotAcceptable(
            f"Run {id_} ended so long ago that whom it met is no longer kept; its summary is.", "pruned"
        )
    return found


def _number(given: object) -> int:
    text = str(given or "")
    if not (text.isascii() and text.isdigit() and len(text) < 19 and int(text) > 0):
        raise InvalidInput("Give the numbers of two runs, as a and b.", "bad_job_id")
    return int(text)
