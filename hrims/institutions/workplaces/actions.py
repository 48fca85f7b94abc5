"""Decisions about a workplace: map it to an institution, register it as a new one, or undo the mapping.

Each decision is one transaction. It writes the alias, the employees, their history and the audit record, or
nothing.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import psycopg

from hrims.access.actor import Actor
from hrims.access.audit import record
from hrims.access.scope import EVERYTHING
from hrims.db import Connection
from hrims.errors import Conflict, InvalidInput, NotAllowed, NotFound, Unprocessable
from hrims.institutions import store as institution_store
from hrims.institutions.csv_file import MAX_NAME_LENGTH, TIN, VOTE_CODE, Row, forbidden_characters
from hrims.institutions.workplaces import store
from hrims.institutions.workplaces.store import Workplace
from hrims.text import clean

LOCK_TIMEOUT = 10.0
"""Seconds that a decision waits for pages that are being saved and for other users' decisions."""

NOTHING = "Nothing was changed."

OUTSIDE = (
    f"This would move people who are not of your institutions. {NOTHING} "
    "Ask a user with all institutions to do it."
)

TAKEN = {
    "institutions_name_once": "name",
    "institutions_vote_code_once": "vote code",
    "institutions_tin_once": "TIN",
}
"""The field that another institution has already, by the name of the violated database constraint."""


class Decision(NamedTuple):
    """The workplace after a decision, and the number of employees that moved."""

    workplace: Workplace
    moved: int


def map_workplace(conn: Connection, actor: Actor, id_: int, institution_id: int) -> Decision:
    """Map an unmapped workplace to this institution.

    Raises NotFound, Unprocessable if the workplace has no usable name, NotAllowed if a person outside the
    scope would move, and Conflict if another user decided before.
    """
    with _decision(conn, actor):
        institution = institution_store.find_institution(conn, institution_id, actor.scope)
        if not institution:
            raise NotFound(
                f"There is no institution with this id on the register. {NOTHING}", "unknown_institution"
            )
        store.lock_workplace(conn, id_)
        before = _find_waiting(conn, actor, id_)
        _check_people(conn, actor, id_)
        store.map_workplace(conn, id_, institution_id)
        return _record_decision(conn, actor, "workplace.map", before)


def register_workplace(
    conn: Connection,
    actor: Actor,
    id_: int,
    *,
    name: str | None = None,
    vote_code: str | None = None,
    tin: str | None = None,
) -> Decision:
    """Add an unmapped workplace to the register as a new institution, and map it.

    The institution gets the workplace's own name unless ``name`` is given. Raises as ``map_workplace``, and
    InvalidInput for a wrong name, vote code or TIN.
    """
    with _decision(conn, actor):
        name = _check_name(name or _find(conn, actor, id_).name)
        vote_code = _check_number(vote_code, VOTE_CODE, "A vote code is 1 to 10 digits.")
        tin = _check_number(tin, TIN, "A TIN is nine digits.")
        store.lock_workplace(conn, id_, and_named=name)
        before = _find_waiting(conn, actor, id_)
        _check_people(conn, actor, id_, and_named=name)
        institution_id = _add_institution(conn, name, vote_code, tin)
        # The register has already matched it, unless the given name is a different one.
        store.map_workplace(conn, id_, institution_id)
        new = {"name": name, "vote_code": vote_code, "tin": tin}
        return _record_decision(conn, actor, "workplace.register", before, **new)


def unmap(conn: Connection, actor: Actor, id_: int, *, institution_id: int | None = None) -> Decision:
    """Undo the mapping of a workplace. Then it waits again, or belongs to the institution of the same name.

    With ``institution_id``, do so only if the workplace is still mapped to that institution. Raises NotFound,
    NotAllowed if a person would leave the scope, and Conflict if there is no mapping to undo.
    """
    with _decision(conn, actor):
        store.lock_workplace(conn, id_)
        before = _find(conn, actor, id_)
        if before.matched_by != "alias" or institution_id not in {None, before.institution_id}:
            raise Conflict(f"{_describe(before)} There is nothing to take back. {NOTHING}", "not_mapped")
        store.unmap(conn, id_)
        _check_people(conn, actor, id_)
        return _record_decision(conn, actor, "workplace.unmap", before)


@contextmanager
def _decision(conn: Connection, actor: Actor) -> Iterator[None]:
    """Run one transaction with the register locked and a lock timeout."""
    try:
        with conn.transaction():
            store.set_lock_timeout(conn, LOCK_TIMEOUT)
            institution_store.lock_register(conn, actor.name)
            yield
    except psycopg.errors.CheckViolation:
        raise Unprocessable(
            f"Without letters and digits it names no institution. {NOTHING}", "nameless"
        ) from None
    except psycopg.errors.LockNotAvailable:
        raise Conflict(
            f"People of this workplace are being saved just now. {NOTHING} Try again in a moment.", "busy"
        ) from None


def _find(conn: Connection, actor: Actor, id_: int) -> Workplace:
    found = store.find_workplace(conn, actor.scope, id_)
    if not found:
        raise NotFound(f"There is no workplace with this id. {NOTHING}", "unknown_workplace")
    return found


def _find_waiting(conn: Connection, actor: Actor, id_: int) -> Workplace:
    """Return the locked workplace. Raises Conflict unless it is unmapped."""
    found = _find(conn, actor, id_)
    if found.institution_id is not None:
        raise Conflict(f"{_describe(found)} {NOTHING}", "already_mapped")
    return found


def _check_people(conn: Connection, actor: Actor, id_: int, *, and_named: str | None = None) -> None:
    """Raise NotAllowed if the actor may not see each person of the locked workplaces."""
    if store.has_person_outside(conn, actor.scope, id_, and_named=and_named):
        raise NotAllowed(OUTSIDE, "people_outside_institutions")


def _describe(now: Workplace) -> str:
    if now.institution_id is None:
        return f"“{now.name}” is mapped to no institution."
    how = f"{now.mapped_by} has mapped it" if now.mapped_by else "the register has that name"
    return f"“{now.name}” belongs to {now.institution} already: {how}."


def _record_decision(
    conn: Connection, actor: Actor, action: str, before: Workplace, **details: Any
) -> Decision:
    # After unmapping it may be out of the scope of the user who did it.
    after = store.find_workplace(conn, EVERYTHING, before.id)
    assert after is not None
    moved = after.people if after.institution_id != before.institution_id else 0
    record(
        conn,
        actor,
        action,
        f"workplace:{after.id}",
        institution=after.institution_id or before.institution_id,
        before=_mapping(before),
        after=_mapping(after),
        workplace=after.name,
        moved=moved,
        **details,
    )
    return Decision(after, moved)


def _mapping(workplace: Workplace) -> dict[str, Any]:
    return {"institution": workplace.institution_id, "mapped_by": workplace.mapped_by}


def _add_institution(conn: Connection, name: str, vote_code: str | None, tin: str | None) -> int:
    if registered := store.find_registered_name(conn, name):
        raise Conflict(
            f"The register has {registered} already: map the workplace to it. {NOTHING}", "name_taken"
        )
    for found in institution_store.find_conflicts(conn, [Row(1, name, vote_code, tin)]):
        if found.code == "zeros":
            raise Conflict(
                f"The vote code {vote_code} differs from {found.other_value}, that of {found.other}, only in "
                f"leading zeros. {NOTHING} Give it with all its zeros.",
                "number_taken",
            )
    try:
        return store.add_institution(conn, name, vote_code, tin)
    except psycopg.errors.UniqueViolation as error:
        field = TAKEN[error.diag.constraint_name or ""]
        raise Conflict(f"Another institution has this {field}. {NOTHING}", "number_taken") from None


def _check_name(name: str) -> str:
    is_one_line = not forbidden_characters(name.strip())
    name = clean(name)
    if not name or not is_one_line or len(name) > MAX_NAME_LENGTH:
        raise InvalidInput(
            f"An institution's name is one line of at most {MAX_NAME_LENGTH} letters. {NOTHING}", "bad_name"
        )
    return name


def _check_number(given: str | None, form: re.Pattern[str], message: str) -> str | None:
    given = (given or "").strip() or None
    if given and not form.fullmatch(given):
        raise InvalidInput(f"{message} {NOTHING}", "bad_number")
    return given
