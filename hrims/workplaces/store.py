"""Workplaces as a person decides about them, in SQL. Each function works inside its caller's transaction."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from hrims.db import Connection, statements

FIND = statements(Path(__file__).with_name("find_workplaces.sql"))


class Workplace(NamedTuple):
    """A name under which people work, as it stands: its institution, and how it got there."""

    id: int
    name: str
    people: int
    """Who work there now."""
    institution_id: int | None
    institution: str | None
    matched_by: str | None
    mapped_by: str | None
    mapped_at: datetime | None
    on_register: bool
    """Whether an institution has this very name: where its people go when an alias is taken back."""
    is_named: bool
    """Whether the name has a letter or digit, by ``name_key``; "-" names no place."""


class Listed(NamedTuple):
    """How many people of a workplace are listed by an institution's vote code or TIN, and in which runs
    they were first listed.
    """

    institution_id: int
    institution: str
    identifier_type: str
    identifier: str | None
    people: int
    first_run_id: int
    last_run_id: int


class Candidate(NamedTuple):
    """An institution that may be meant; ``likeness`` of its name is from 0 to 1."""

    id: int
    name: str
    vote_code: str | None
    tin: str | None
    likeness: float


class Count(NamedTuple):
    """How many workplaces there are, and how many people work there."""

    workplaces: int
    people: int


def waiting(conn: Connection, name: str, *, limit: int, offset: int) -> list[Workplace]:
    """Workplaces without an institution whose name has every word of ``name``: most people first."""
    given = {"name": name, "limit": limit, "offset": offset}
    return [Workplace(*row) for row in conn.execute(FIND["waiting"], given)]


def aliases(conn: Connection, name: str, *, limit: int, offset: int) -> list[Workplace]:
    """Workplaces that were mapped, by name as in ``waiting``: the latest first."""
    given = {"name": name, "limit": limit, "offset": offset}
    return [Workplace(*row) for row in conn.execute(FIND["aliases"], given)]


def count_waiting(conn: Connection, name: str) -> Count:
    """How many ``waiting`` there are in all."""
    row = conn.execute(FIND["count_waiting"], {"name": name}).fetchone()
    assert row is not None
    return Count(*row)


def count_aliases(conn: Connection, name: str) -> int:
    """How many ``aliases`` there are in all."""
    row = conn.execute(FIND["count_aliases"], {"name": name}).fetchone()
    assert row is not None
    return int(row[0])


def workplace(conn: Connection, id_: int) -> Workplace | None:
    """One workplace."""
    row = conn.execute(FIND["workplace"], {"id": id_}).fetchone()
    return Workplace(*row) if row else None


def nowhere(conn: Connection) -> int:
    """How many people have no workplace at all at HRIMS."""
    row = conn.execute("SELECT count(*) FROM employees WHERE workplace_id IS NULL").fetchone()
    assert row is not None
    return int(row[0])


def listed_by(conn: Connection, ids: Sequence[int]) -> dict[int, list[Listed]]:
    """Whose listings hold the people of these workplaces, by workplace."""
    found: dict[int, list[Listed]] = {id_: [] for id_ in ids}
    for id_, *row in conn.execute(FIND["listed_by"], {"ids": list(ids)}):
        found[id_].append(Listed(*row))
    return found


def suggestions(conn: Connection, ids: Sequence[int], *, most: int) -> dict[int, list[Candidate]]:
    """The institutions whose names are most like those of these workplaces, by workplace."""
    found: dict[int, list[Candidate]] = {id_: [] for id_ in ids}
    for id_, *row in conn.execute(FIND["suggestions"], {"ids": list(ids), "most": most}):
        found[id_].append(Candidate(*row))
    return found


def institutions_like(conn: Connection, find: str, *, name: str, most: int) -> tuple[list[Candidate], int]:
    """The institutions with this vote code or TIN, or with every word of ``find`` in their names; with the
    likeness to ``name``, the likest first; and how many there are in all.
    """
    rows = conn.execute(FIND["institutions_like"], {"find": find, "name": name, "most": most}).fetchall()
    return [Candidate(*row[:-1]) for row in rows], rows[0][-1] if rows else 0


# Decisions


def wait_at_most(conn: Connection, seconds: float) -> None:
    """Until the transaction ends, waiting for others longer than so many seconds raises LockNotAvailable."""
    conn.execute("SELECT set_config('lock_timeout', %s, true)", (f"{seconds * 1000:.0f}ms",))


def hold(conn: Connection, id_: int, *, and_named: str | None = None) -> None:
    """Holds a workplace and its people against pages and other decisions; with ``and_named`` also the
    workplace of that name, which registering the name would match. Close the register before.
    """
    conn.execute(
        """
        SELECT hold_workplaces(array(
            SELECT id FROM workplaces WHERE id = %(id)s OR name_key = name_key(%(name)s)))
        """,
        {"id": id_, "name": and_named},
    )


def name_on_register(conn: Connection, name: str) -> str | None:
    """The register's own spelling of a name, if it has that name."""
    row = conn.execute("SELECT name FROM institutions WHERE name_key = name_key(%s)", (name,)).fetchone()
    return row[0] if row else None


def add_institution(conn: Connection, name: str, vote_code: str | None, tin: str | None) -> int:
    """Adds an institution; workplaces of its name that wait are matched. Raises UniqueViolation."""
    row = conn.execute(
        "INSERT INTO institutions (name, vote_code, tin) VALUES (%s, %s, %s) RETURNING id",
        (name, vote_code, tin),
    ).fetchone()
    assert row is not None
    return int(row[0])


def map_to(conn: Connection, id_: int, institution_id: int) -> None:
    """Makes a workplace that waits an alias of an institution; its people move."""
    conn.execute(
        """
        UPDATE workplaces
        SET institution_id = %s, matched_by = 'alias', mapped_by = made_by(), mapped_at = now()
        WHERE id = %s AND institution_id IS NULL
        """,
        (institution_id, id_),
    )


def take_back(conn: Connection, id_: int) -> None:
    """Ends an alias: the register's own institution of that name, if it has one, else none."""
    conn.execute(
        """
        UPDATE workplaces w
        SET institution_id = i.id, matched_by = CASE WHEN i.id IS NOT NULL THEN 'name' END,
            mapped_by = NULL, mapped_at = NULL
        FROM workplaces same LEFT JOIN institutions i ON i.name_key = same.name_key
        WHERE w.id = %s AND same.id = w.id AND w.matched_by = 'alias'
        """,
        (id_,),
    )
