"""The register of institutions: a name, vote code or TIN comes in, its row goes out."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from hrims.db import Connection, statements
from hrims.register.file import Row

CONFLICTS = statements(Path(__file__).with_name("find_conflicts.sql"))
IMPORT = statements(Path(__file__).with_name("import.sql"))


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


def differing_in_zeros(conn: Connection, vote_code: str) -> Institution | None:
    """Return the institution whose vote code differs from this one only in leading zeros."""
    row = conn.execute(
        "SELECT id, name, vote_code, tin FROM institutions"
        " WHERE ltrim(vote_code, '0') = ltrim(%(given)s, '0') AND vote_code <> %(given)s"
        " ORDER BY vote_code LIMIT 1",
        {"given": vote_code},
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
    """Add institutions and update known ones (the same name, but for case, spaces and punctuation). Return
    what was written. An empty vote code or TIN leaves the one that is there. Call it after ``close``.

    Raises psycopg.errors.UniqueViolation when a vote code or TIN belongs to another institution.
    """
    names, vote_codes, tins = ([row[n] for row in rows] for n in range(3))
    given = {"names": names, "vote_codes": vote_codes, "tins": tins}
    found = conn.execute(IMPORT["lock_changes"], given).fetchall()
    if not found:
        return []
    ids, names, vote_codes, tins = ([row[n] for row in found] for n in (1, 5, 6, 7))
    after = {"ids": ids, "names": names, "vote_codes": vote_codes, "tins": tins}
    for step in ("free_numbers", "change", "add"):
        conn.execute(IMPORT[step], after)
    return [
        Change(None if id_ is None else (name, vote_code, tin), (new_name, new_vote_code, new_tin))
        for _, id_, name, vote_code, tin, new_name, new_vote_code, new_tin in found
    ]
