"""Decisions about a name at which people work: it is this institution, it is a new one, or what was said
is taken back. Each is one transaction: alias, people, their history and the audit record, or nothing.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import psycopg

from hrims.access.audit import Actor, record
from hrims.db import Connection
from hrims.errors import Conflict, InvalidInput, NotAcceptable, NotFound
from hrims.register import store as register
from hrims.register.file import LONGEST_NAME, TIN, VOTE_CODE, Row, forbidden_characters
from hrims.text import clean
from hrims.workplaces import store
from hrims.workplaces.store import Workplace

PATIENCE = 10.0
"""Seconds that a decision waits for pages that are being saved and for other people's decisions."""

NOTHING = "Nothing was changed."

TAKEN = {
    "institutions_name_once": "name",
    "institutions_vote_code_once": "vote code",
    "institutions_tin_once": "TIN",
}
"""What another institution has, by the rule of the database that says so."""


class Decided(NamedTuple):
    """The workplace as it stands after a decision, and how many people moved."""

    workplace: Workplace
    moved: int


def map_to(conn: Connection, actor: Actor, id_: int, institution_id: int) -> Decided:
    """A workplace that waits is this institution from now on.

    Raises NotFound, NotAcceptable for what is no name, Conflict when somebody decided before.
    """
    with _decision(conn, actor):
        institution = register.institution(conn, institution_id)
        if not institution:
            raise NotFound(
                f"There is no institution with this id on the register. {NOTHING}", "unknown_institution"
            )
        store.hold(conn, id_)
        before = _waiting(conn, id_)
        store.map_to(conn, id_, institution_id)
        return _told(conn, actor, "workplace.map", before, institution=institution_id)


def register_as(
    conn: Connection,
    actor: Actor,
    id_: int,
    *,
    name: str | None = None,
    vote_code: str | None = None,
    tin: str | None = None,
) -> Decided:
    """A workplace that waits is an institution that the register lacks: adds it, by the workplace's own
    name unless another is given.

    Raises as ``map_to``, and InvalidInput for a wrong name, vote code or TIN.
    """
    with _decision(conn, actor):
        name = _checked_name(name or _found(conn, id_).name)
        vote_code = _checked(vote_code, VOTE_CODE, "A vote code is 1 to 10 digits.")
        tin = _checked(tin, TIN, "A TIN is nine digits.")
        store.hold(conn, id_, and_named=name)
        before = _waiting(conn, id_)
        institution_id = _added(conn, name, vote_code, tin)
        # The register has matched it already, unless the name that was given is another one.
        store.map_to(conn, id_, institution_id)
        new = {"institution": institution_id, "name": name, "vote_code": vote_code, "tin": tin}
        return _told(conn, actor, "workplace.register", before, **new)


def take_back(conn: Connection, actor: Actor, id_: int, *, institution_id: int | None = None) -> Decided:
    """A workplace that was mapped waits again, or is what the register says by its name. With
    ``institution_id`` only if that is still what it is mapped to.

    Raises NotFound, Conflict when there is nothing to take back.
    """
    with _decision(conn, actor):
        store.hold(conn, id_)
        before = _found(conn, id_)
        if before.matched_by != "alias" or institution_id not in {None, before.institution_id}:
            raise Conflict(f"{_as_it_is(before)} There is nothing to take back. {NOTHING}", "not_mapped")
        store.take_back(conn, id_)
        was = {"institution": before.institution_id, "mapped_by": before.mapped_by}
        return _told(conn, actor, "workplace.unmap", before, **was)


@contextmanager
def _decision(conn: Connection, actor: Actor) -> Iterator[None]:
    """One transaction, which does not wait for ever."""
    try:
        with conn.transaction():
            store.wait_at_most(conn, PATIENCE)
            register.close(conn, actor.name)
            yield
    except psycopg.errors.CheckViolation:
        raise NotAcceptable(
            f"Without letters and digits it names no institution. {NOTHING}", "nameless"
        ) from None
    except psycopg.errors.LockNotAvailable:
        raise Conflict(
            f"People of this workplace are being saved just now. {NOTHING} Try again in a moment.", "busy"
        ) from None


def _found(conn: Connection, id_: int) -> Workplace:
    found = store.workplace(conn, id_)
    if not found:
        raise NotFound(f"There is no workplace with this id. {NOTHING}", "unknown_workplace")
    return found


def _waiting(conn: Connection, id_: int) -> Workplace:
    """The workplace, which is held; raises unless it waits."""
    found = _found(conn, id_)
    if found.institution_id is not None:
        raise Conflict(f"{_as_it_is(found)} {NOTHING}", "already_mapped")
    return found


def _as_it_is(now: Workplace) -> str:
    if now.institution_id is None:
        return f"“{now.name}” is mapped to no institution."
    how = f"{now.mapped_by} has mapped it" if now.mapped_by else "the register has that name"
    return f"“{now.name}” belongs to {now.institution} already: {how}."


def _told(conn: Connection, actor: Actor, action: str, before: Workplace, **details: object) -> Decided:
    after = _found(conn, before.id)
    moved = after.people if after.institution_id != before.institution_id else 0
    record(conn, actor, action, f"workplace:{after.id}", workplace=after.name, moved=moved, **details)
    return Decided(after, moved)


def _added(conn: Connection, name: str, vote_code: str | None, tin: str | None) -> int:
    if there := store.name_on_register(conn, name):
        raise Conflict(f"The register has {there} already: map the workplace to it. {NOTHING}", "name_taken")
    for found in register.find_conflicts(conn, [Row(1, name, vote_code, tin)]):
        if found.code == "zeros":
            raise Conflict(
                f"The vote code {vote_code} differs from {found.other_value}, that of {found.other}, only in "
                f"leading zeros. {NOTHING} Give it with all its zeros.",
                "number_taken",
            )
    try:
        return store.add_institution(conn, name, vote_code, tin)
    except psycopg.errors.UniqueViolation as clash:
        what = TAKEN[clash.diag.constraint_name or ""]
        raise Conflict(f"Another institution has this {what}. {NOTHING}", "number_taken") from None


def _checked_name(name: str) -> str:
    is_one_line = not forbidden_characters(name.strip())
    name = clean(name)
    if not name or not is_one_line or len(name) > LONGEST_NAME:
        raise InvalidInput(
            f"An institution's name is one line of at most {LONGEST_NAME} letters. {NOTHING}", "bad_name"
        )
    return name


def _checked(given: str | None, form: re.Pattern[str], words: str) -> str | None:
    given = (given or "").strip() or None
    if given and not form.fullmatch(given):
        raise InvalidInput(f"{words} {NOTHING}", "bad_number")
    return given
