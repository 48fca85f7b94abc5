"""SQL for decisions about workplaces. Each function works inside its caller's transaction."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from hrims.access.scope import Scope
from hrims.db import Connection, statements

SUGGESTIONS = 3
"""Number of institutions that are suggested for a name."""

FIND = statements(Path(__file__).with_name("find_workplaces.sql"))


class Workplace(NamedTuple):
    """A workplace, the institution that it is mapped to, and the origin of the mapping."""

    id: int
    name: str
    people: int
    """Number of employees in the scope who work there now."""
    institution_id: int | None
    institution: str | None
    matched_by: str | None
    mapped_by: str | None
    mapped_at: datetime | None
    on_register: bool
    """Whether an institution has exactly this name. Its employees move there if an alias is undone."""
    is_named: bool
    """Whether the name has a letter or digit, by ``name_key``. "-" names no workplace."""


class Listed(NamedTuple):
    """The number of employees of a workplace that an institution's vote code or TIN lists.

    The run ids are those of the first and last run that first listed one of them.
    """

    institution_id: int
    institution: str
    identifier_type: str
    identifier: str | None
    people: int
    first_run_id: int
    last_run_id: int


class Candidate(NamedTuple):
    """An institution that a name may mean. ``likeness`` is the similarity of the names, from 0 to 1."""

    id: int
    name: str
    vote_code: str | None
    tin: str | None
    likeness: float


class Count(NamedTuple):
    """The number of workplaces, and of the employees who work there."""

    workplaces: int
    people: int


def list_waiting(conn: Connection, scope: Scope, name: str, *, limit: int, offset: int) -> list[Workplace]:
    """Return unmapped workplaces in the scope with every word of ``name``, most employees first."""
    given = {"name": name, "limit": limit, "offset": offset, **scope.values}
    return [Workplace(*row) for row in conn.execute(FIND["waiting"], given)]


def list_aliases(conn: Connection, scope: Scope, name: str, *, limit: int, offset: int) -> list[Workplace]:
    """Return mapped workplaces, filtered by name as in ``list_waiting``, the latest first."""
    given = {"name": name, "limit": limit, "offset": offset, **scope.values}
    return [Workplace(*row) for row in conn.execute(FIND["aliases"], given)]


def count_waiting(conn: Connection, scope: Scope, name: str) -> Count:
    """Return the total number of workplaces that ``list_waiting`` finds."""
    row = conn.execute(FIND["count_waiting"], {"name": name, **scope.values}).fetchone()
    assert row is not None
    return Count(*row)


def count_aliases(conn: Connection, scope: Scope, name: str) -> int:
    """Return the total number of workplaces that ``list_aliases`` finds."""
    row = conn.execute(FIND["count_aliases"], {"name": name, **scope.values}).fetchone()
    assert row is not None
    return int(row[0])


def find_workplace(conn: Connection, scope: Scope, id_: int) -> Workplace | None:
    """Return the workplace with this id, or None if there is none in the scope."""
    row = conn.execute(FIND["workplace"], {"id": id_, **scope.values}).fetchone()
    return Workplace(*row) if row else None


def count_without_workplace(conn: Connection, scope: Scope) -> int:
    """Return the number of employees in the scope that have no workplace at all in HRIMS."""
    row = conn.execute(
        "SELECT count(*) FROM employees WHERE workplace_id IS NULL AND person_in_scope(id, NULL, %(scope)s)",
        scope.values,
    ).fetchone()
    assert row is not None
    return int(row[0])


def find_listings(conn: Connection, scope: Scope, ids: Sequence[int]) -> dict[int, list[Listed]]:
    """Return the listings that contain the employees of these workplaces, by workplace."""
    found: dict[int, list[Listed]] = {id_: [] for id_ in ids}
    for id_, *row in conn.execute(FIND["find_listings"], {"ids": list(ids), **scope.values}):
        found[id_].append(Listed(*row))
    return found


def find_suggestions(
    conn: Connection, scope: Scope, ids: Sequence[int], *, limit: int
) -> dict[int, list[Candidate]]:
    """Return the institutions with the names most similar to those of these workplaces, by workplace."""
    found: dict[int, list[Candidate]] = {id_: [] for id_ in ids}
    given = {"ids": list(ids), "limit": limit, **scope.values}
    for id_, *row in conn.execute(FIND["suggestions"], given):
        found[id_].append(Candidate(*row))
    return found


def find_similar_institutions(
    conn: Connection, scope: Scope, find: str, *, name: str, limit: int
) -> tuple[list[Candidate], int]:
    """Return the institutions that match ``find``, and their total number.

    They have this vote code or TIN, or every word of ``find`` in their names. Their names are compared with
    ``name``; the most similar come first.
    """
    given = {"find": find, "name": name, "limit": limit, **scope.values}
    rows = conn.execute(FIND["find_similar_institutions"], given).fetchall()
    return [Candidate(*row[:-1]) for row in rows], rows[0][-1] if rows else 0


# Decisions


def set_lock_timeout(conn: Connection, seconds: float) -> None:
    """Set the lock timeout until the transaction ends. A longer wait raises LockNotAvailable."""
    conn.execute("SELECT set_config('lock_timeout', %s, true)", (f"{seconds * 1000:.0f}ms",))


def lock_workplace(conn: Connection, id_: int, *, and_named: str | None = None) -> None:
    """Lock a workplace and its employees against pages that are being saved and against other decisions.

    With ``and_named``, also lock the workplace of that name: registering the name would match it. Call
    ``lock_register`` first.
    """
    conn.execute(
        """
        SELECT lock_workplaces(array(
            SELECT id FROM workplaces WHERE id = %(id)s OR name_key = name_key(%(name)s)))
        """,
        {"id": id_, "name": and_named},
    )


def has_person_outside(conn: Connection, scope: Scope, id_: int, *, and_named: str | None = None) -> bool:
    """Return whether the scope lacks an employee of these workplaces, which ``lock_workplace`` has locked."""
    row = conn.execute(
        """
        SELECT EXISTS (
            SELECT FROM employees e JOIN workplaces w ON w.id = e.workplace_id
            WHERE (w.id = %(id)s OR w.name_key = name_key(%(name)s))
              AND NOT (in_scope(w.institution_id, %(scope)s) OR person_in_scope(e.id, NULL, %(scope)s)))
        """,
        {"id": id_, "name": and_named, **scope.values},
    ).fetchone()
    assert row is not None
    return bool(row[0])


def find_registered_name(conn: Connection, name: str) -> str | None:
    """Return the register's own spelling of a name, or None if it does not have that name."""
    row = conn.execute("SELECT name FROM institutions WHERE name_key = name_key(%s)", (name,)).fetchone()
    return row[0] if row else None


def add_institution(conn: Connection, name: str, vote_code: str | None, tin: str | None) -> int:
    """Add an institution; the database matches unmapped workplaces of its name. Return its id.

    Raises UniqueViolation.
    """
    row = conn.execute(
        "INSERT INTO institutions (name, vote_code, tin) VALUES (%s, %s, %s) RETURNING id",
        (name, vote_code, tin),
    ).fetchone()
    assert row is not None
    return int(row[0])


def map_workplace(conn: Connection, id_: int, institution_id: int) -> None:
    """Make an unmapped workplace an alias of an institution. Its employees move."""
    conn.execute(
        """
        UPDATE workplaces
        SET institution_id = %s, matched_by = 'alias', mapped_by = made_by(), mapped_at = now()
        WHERE id = %s AND institution_id IS NULL
        """,
        (institution_id, id_),
    )


def unmap(conn: Connection, id_: int) -> None:
    """End an alias. The workplace then belongs to the institution of the same name, if there is one."""
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
