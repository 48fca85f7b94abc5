"""SQL of the register of institutions. Input: a name, vote code or TIN. Output: its row."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from hrims.access.scope import Scope
from hrims.db import Connection, statements
from hrims.errors import NotFound
from hrims.institutions.csv_file import Row

CONFLICTS = statements(Path(__file__).with_name("find_conflicts.sql"))
IMPORT = statements(Path(__file__).with_name("import.sql"))


class Institution(NamedTuple):
    """A row of the register."""

    id: int
    name: str
    vote_code: str | None
    tin: str | None

    def identifier(self, identifier_type: str) -> str | None:
        """Return its ``votecode`` or ``tin``. Return None if the register has none."""
        return self.vote_code if identifier_type == "votecode" else self.tin


def list_institutions(conn: Connection, scope: Scope) -> list[Institution]:
    """Return the institutions of the register in the scope, by name."""
    rows = conn.execute(
        "SELECT id, name, vote_code, tin FROM institutions WHERE in_scope(id, %(scope)s) ORDER BY name_key",
        scope.values,
    )
    return [Institution(*row) for row in rows]


def find_institution(conn: Connection, id_: int, scope: Scope) -> Institution | None:
    """Return the institution with this id, or None if the scope does not have it."""
    if not scope.covers(id_):
        return None
    row = conn.execute("SELECT id, name, vote_code, tin FROM institutions WHERE id = %s", (id_,)).fetchone()
    return Institution(*row) if row else None


def find_institution_by(conn: Connection, identifier_type: str, identifier: str) -> Institution | None:
    """Return the institution with this vote code or TIN, or None."""
    row = conn.execute(
        "SELECT id, name, vote_code, tin FROM institutions"
        " WHERE CASE %(type)s WHEN 'votecode' THEN vote_code = %(given)s ELSE tin = %(given)s END",
        {"type": identifier_type, "given": identifier},
    ).fetchone()
    return Institution(*row) if row else None


def find_by_codes(conn: Connection, codes: Sequence[str]) -> list[int]:
    """Return the ids of the institutions with these vote codes or TINs.

    Raises NotFound for a code that no institution has, or that is the vote code of one and the TIN of
    another.
    """
    rows = conn.execute(
        "SELECT g.code, array_agg(i.id) FILTER (WHERE i.id IS NOT NULL) FROM unnest(%s::text[]) AS g(code)"
        " LEFT JOIN institutions i ON i.vote_code = g.code OR i.tin = g.code GROUP BY g.code ORDER BY g.code",
        ([code.strip() for code in codes],),
    ).fetchall()
    for code, ids in rows:
        if len(ids or ()) != 1:
            problem = "Two institutions have" if ids else "No institution on the register has"
            raise NotFound(
                f"{problem} the vote code or TIN {code}. Nothing was changed.", "unknown_institution"
            )
    return sorted({ids[0] for _, ids in rows})


def find_differing_in_zeros(conn: Connection, vote_code: str) -> Institution | None:
    """Return an institution whose vote code differs from this one only in leading zeros, or None."""
    row = conn.execute(
        "SELECT id, name, vote_code, tin FROM institutions"
        " WHERE ltrim(vote_code, '0') = ltrim(%(given)s, '0') AND vote_code <> %(given)s"
        " ORDER BY vote_code LIMIT 1",
        {"given": vote_code},
    ).fetchone()
    return Institution(*row) if row else None


def lock_register(conn: Connection, made_by: str) -> None:
    """Lock the register until the transaction ends. The history names ``made_by`` as the author of its
    changes.
    """
    # The matching shared lock is in _add_workplaces() of hrims/employees/store.py.
    conn.execute(
        "SELECT set_config('hrims.made_by', %s, true), pg_advisory_xact_lock(hashtext('hrims register'))",
        (made_by,),
    )


def lock_waiting_workplaces(conn: Connection, names: list[str]) -> None:
    """Lock the unmapped workplaces with these names, and their employees, against pages that are being saved.

    Call ``lock_register`` first.
    """
    conn.execute(
        """
        SELECT lock_workplaces(array(
            SELECT w.id FROM workplaces w JOIN unnest(%s::text[]) AS n(name) ON w.name_key = name_key(n.name)
            WHERE w.institution_id IS NULL))
        """,
        (names,),
    )


class Conflict(NamedTuple):
    """The reason why a line of a file cannot be imported: a code, and what it conflicts with."""

    line: int
    code: str
    other_line: int | None
    value: str | None
    other: str | None
    other_value: str | None


def find_conflicts(conn: Connection, rows: Sequence[Row]) -> list[Conflict]:
    """Return what the register cannot accept of these rows, by line. Call ``lock_register`` first."""
    lines, names, vote_codes, tins = ([row[n] for row in rows] for n in range(4))
    given = {"lines": lines, "names": names, "vote_codes": vote_codes, "tins": tins}
    return [Conflict(*row) for row in conn.execute(CONFLICTS["find_conflicts"], given)]


class Change(NamedTuple):
    """A change that an import wrote to one institution: (name, vote code, TIN) before and after.

    ``before`` is None if the institution is new.
    """

    before: tuple[str, str | None, str | None] | None
    after: tuple[str, str | None, str | None]


def upsert_institutions(conn: Connection, rows: list[tuple[str, str | None, str | None]]) -> list[Change]:
    """Add new institutions and update known ones. Return the changes that were written.

    A known institution has the same name, ignoring case, spaces and punctuation. An empty vote code or TIN
    keeps the current one. Call ``lock_register`` first.

    Raises psycopg.errors.UniqueViolation if a vote code or TIN belongs to another institution.
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
