"""The register of institutions: a name, vote code or TIN comes in, its row goes out."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from hrims.db import Connection, statements
from hrims.register.file import Row

CONFLICTS = statements(Path(__file__).with_name("find_conflicts.sql"))


class Institution(NamedTuple):
    """A row of the register."""

    id: int
    name: str
    vote_code: str | None
    tin: str | None

    def identifier(self, identifier_type: str) -> str | None:
        """Its own ``votecode`` or ``tin``; None where the register has none."""
        return self.vote_code if identifier_type == "votecode" else self.tin


def institutions(conn: Connection) -> list[Institution]:
    """The register, by name."""
    rows = conn.execute("SELECT id, name, vote_code, tin FROM institutions ORDER BY name_key")
    return [Institution(*row) for row in rows]


def institution(conn: Connection, id_: int) -> Institution | None:
    """One institution of the register."""
    row = conn.execute("SELECT id, name, vote_code, tin FROM institutions WHERE id = %s", (id_,)).fetchone()
    return Institution(*row) if row else None


def institution_by(conn: Connection, identifier_type: str, identifier: str) -> Institution | None:
    """The institution with this vote code or TIN."""
    row = conn.execute(
        "SELECT id, name, vote_code, tin FROM institutions"
        " WHERE CASE %(type)s WHEN 'votecode' THEN vote_code = %(given)s ELSE tin = %(given)s END",
        {"type": identifier_type, "given": identifier},
    ).fetchone()
    return Institution(*row) if row else None


def close(conn: Connection, made_by: str) -> None:
    """Keeps the register to this transaction until it ends; history will name who made its changes."""
    # The other half of this lock is in _add_workplaces() of the employees' room.
    conn.execute(
        "SELECT set_config('hrims.made_by', %s, true), pg_advisory_xact_lock(hashtext('hrims register'))",
        (made_by,),
    )


def hold_waiting(conn: Connection, names: list[str]) -> None:
    """Holds the workplaces that wait for these names, and their people, against pages. After ``close``."""
    conn.execute(
        """
        SELECT hold_workplaces(array(
            SELECT w.id FROM workplaces w JOIN unnest(%s::text[]) AS n(name) ON w.name_key = name_key(n.name)
            WHERE w.institution_id IS NULL))
        """,
        (names,),
    )


class Conflict(NamedTuple):
    """Why a line of a file cannot be imported: a code, and what it clashes with."""

    line: int
    code: str
    other_line: int | None
    value: str | None
    other: str | None
    other_value: str | None


def find_conflicts(conn: Connection, rows: Sequence[Row]) -> list[Conflict]:
    """Return what the register cannot have of these rows, by line. Call it after ``close``."""
    lines, names, vote_codes, tins = ([row[n] for row in rows] for n in range(4))
    given = {"lines": lines, "names": names, "vote_codes": vote_codes, "tins": tins}
    return [Conflict(*row) for row in conn.execute(CONFLICTS["find_conflicts"], given)]


class Change(NamedTuple):
    """What an import wrote of one institution: (name, vote code, TIN) before, None when it is new, and
    after.
    """

    before: tuple[str, str | None, str | None] | None
    after: tuple[str, str | None, str | None]


def upsert_institutions(conn: Connection, rows: list[tuple[str, str | None, str | None]]) -> list[Change]:
    """Adds institutions and brings known ones (the same name, but for case, spaces and punctuation)
    up to date; returns what was written. An empty vote code or TIN leaves the one that is there.

    Raises psycopg.errors.UniqueViolation when a vote code or TIN belongs to another institution.
    """
    before = [_read_for_update(conn, name) for name, _, _ in rows]
    _free_numbers(conn, rows)
    written = []
    for row, was in zip(rows, before, strict=True):
        after = conn.execute(
            """
            INSERT INTO institutions AS i (name, vote_code, tin) VALUES (%s, %s, %s)
            ON CONFLICT (name_key) DO UPDATE
            SET name = excluded.name, vote_code = coalesce(excluded.vote_code, i.vote_code),
                tin = coalesce(excluded.tin, i.tin), updated_at = now()
            WHERE (i.name, i.vote_code, i.tin) IS DISTINCT FROM
                  (excluded.name, coalesce(excluded.vote_code, i.vote_code), coalesce(excluded.tin, i.tin))
            RETURNING name, vote_code, tin
            """,
            row,
        ).fetchone()
        if after:
            written.append(Change(was, after))
    return written


def _read_for_update(conn: Connection, name: str) -> tuple[str, str | None, str | None] | None:
    return conn.execute(
        "SELECT name, vote_code, tin FROM institutions WHERE name_key = name_key(%s) FOR UPDATE", (name,)
    ).fetchone()


def _free_numbers(conn: Connection, rows: list[tuple[str, str | None, str | None]]) -> None:
    """Take the vote codes and TINs away that the rows replace, so that two institutions can swap theirs."""
    names, vote_codes, tins = ([row[n] for row in rows] for n in range(3))
    conn.execute(
        """
        UPDATE institutions i
        SET vote_code = CASE WHEN g.vote_code IS NULL OR g.vote_code = i.vote_code THEN i.vote_code END,
            tin = CASE WHEN g.tin IS NULL OR g.tin = i.tin THEN i.tin END
        FROM unnest(%s::text[], %s::text[], %s::text[]) AS g(name, vote_code, tin)
        WHERE i.name_key = name_key(g.name) AND (g.vote_code <> i.vote_code OR g.tin <> i.tin)
        """,
        (names, vote_codes, tins),
    )
