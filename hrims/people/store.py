"""SQL to find employees and to read their history. Each function works inside its caller's transaction."""

from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import dict_row

from hrims.access.scope import Scope
from hrims.db import Connection, statements
from hrims.employees.fields import LABELS
from hrims.employees.masking import Mask
from hrims.errors import InvalidInput
from hrims.jobs.store import RUN_IN_SCOPE
from hrims.people import queries
from hrims.people.timeline import Entry, to_entry
from hrims.text import clean, compact

FIND = statements(Path(__file__).with_name("find_people.sql"))

STATEMENT_TIMEOUT = "5s"
"""Maximum duration of each statement of a search."""

HISTORY = f"""
SELECT h.at, h.kind, r.id, r.requested_by, h.made_by, i.name, h.identifier_type, h.changes
FROM (
    (SELECT created_at AS at, 'first_seen' AS kind, first_run_id AS run_id, NULL AS made_by,
            NULL::bigint AS institution_id, NULL AS identifier_type, NULL::jsonb AS changes, 0::bigint AS id
     FROM employees WHERE id = %(id)s)
    UNION ALL
    (SELECT changed_at, 'changed', run_id, made_by, NULL, NULL, changes, id
     FROM employee_changes WHERE employee_id = %(id)s ORDER BY id DESC LIMIT %(limit)s)
    UNION ALL
    (SELECT at, kind, run_id, made_by, institution_id, identifier_type, NULL, id
     FROM employee_events WHERE employee_id = %(id)s ORDER BY id DESC LIMIT %(limit)s)
) h
LEFT JOIN runs r ON r.id = h.run_id
    AND {RUN_IN_SCOPE.format("r")}
LEFT JOIN institutions i ON i.id = h.institution_id
ORDER BY h.at DESC, h.kind <> 'first_seen' DESC, h.id DESC LIMIT %(limit)s
"""  # noqa: S608 - a constant


class Listing(NamedTuple):
    """The listing of an employee by an institution's vote code or TIN, current or ended."""

    institution: str
    identifier_type: str
    identifier: str | None
    since_run_id: int
    missed_runs: int
    ended_at: datetime | None
    ended_run_id: int | None


def search(
    conn: Connection, scope: Scope, text: str, limit: int, *, is_exact: bool = False
) -> list[dict[str, Any]]:
    """Return at most ``limit`` employees in the scope that match the search text.

    Search by ZanID or payroll number. If that finds none, search by any parts of the name in any order;
    employees with a similar name follow, marked ``is_similar``. A number always matches as a whole: its
    beginning would complete a masked number, digit by digit. If names are masked too, the search must be
    ``is_exact``, so that it matches only whole names. Raises InvalidInput if the search takes too long.
    """
    try:
        with conn.transaction():
            conn.execute(FIND["plan_by_index"], {"timeout": STATEMENT_TIMEOUT})
            return _Search(conn, scope, limit).run(clean(text), is_exact=is_exact)
    except psycopg.errors.QueryCanceled:
        raise InvalidInput(
            "The search took too long and was stopped. Type more of the name.", "search_too_long"
        ) from None


class _Search:
    """One search: its connection, the scope of its user, and the most employees that it returns."""

    def __init__(self, conn: Connection, scope: Scope, limit: int) -> None:
        self._conn, self._scope, self._limit = conn, scope, limit

    def run(self, text: str, *, is_exact: bool) -> list[dict[str, Any]]:
        """Return the employees that match ``text``, or whose whole name or number it is."""
        similar: list[int] = []
        ids = self._ids("by_number", {"text": text, "number": compact(text)})
        if not ids:
            parts = self._parts(text)
            ids = self._by_whole_name(parts, text) if is_exact else self._by_name(parts)
            similar = [] if is_exact else self._by_near_spelling(parts, ids)
        found = {"ids": ids + similar, "similar": similar, "text": text, "limit": self._limit}
        with self._conn.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(FIND["found"], found).fetchall()

    def _ids(self, name: str, values: dict[str, Any]) -> list[int]:
        given = {"limit": self._limit, **values, **self._scope.values}
        return [id_ for (id_,) in self._conn.execute(FIND[name], given)]

    def _parts(self, text: str) -> list[str]:
        row = self._conn.execute(FIND["parts"], {"text": text}).fetchone()
        return row[0] if row else []

    def _by_whole_name(self, parts: list[str], text: str) -> list[int]:
        return self._ids("by_whole_name", {"query": queries.whole(parts), "text": text}) if parts else []

    def _by_name(self, parts: list[str]) -> list[int]:
        if not parts:
            return []
        first = self._ids("by_beginning", {"beginning": queries.beginning(parts)})
        if len(first) >= self._limit:
            return first
        others = self._ids("by_parts", {"query": queries.query(parts), "rest": queries.rest(parts)})
        return list(dict.fromkeys(first + others))[: self._limit]

    def _by_near_spelling(self, parts: list[str], found: list[int]) -> list[int]:
        limit = min(queries.MAX_SIMILAR, self._limit - len(found))
        if not parts or limit < 1:
            return []
        values = {"parts": parts, "limit": queries.MAX_NEAR_WORDS, "shortest": queries.MIN_NEAR_LENGTH}
        near = queries.by_place(self._conn.execute(FIND["near_words"], values))
        if not near:
            return []
        query = {"query": queries.query(parts, near), "rest": queries.rest(parts), "key": " ".join(parts)}
        others = {"ids": found, "compared": queries.COMPARED, "limit": limit}
        return self._ids("by_near_words", {**query, **others})


def find_person(conn: Connection, scope: Scope, id_: int) -> dict[str, Any] | None:
    """Return all saved fields of an employee in the scope, and the name of their ``institution``.

    Else None.
    """
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            "SELECT e.*, i.name AS institution FROM employees e"
            " LEFT JOIN institutions i ON i.id = e.institution_id"
            " WHERE e.id = %(id)s AND person_in_scope(e.id, e.institution_id, %(scope)s)",
            {"id": id_, **scope.values},
        ).fetchone()


def list_listings(conn: Connection, id_: int) -> list[Listing]:
    """Return the listings of an employee, current ones first."""
    rows = conn.execute(
        """
        SELECT i.name, l.identifier_type,
               CASE l.identifier_type WHEN 'votecode' THEN i.vote_code ELSE i.tin END,
               l.since_run_id, l.missed_runs, l.ended_at, l.ended_run_id
        FROM listings l JOIN institutions i ON i.id = l.institution_id
        WHERE l.employee_id = %s ORDER BY l.ended_at DESC NULLS FIRST, i.name_key, l.identifier_type DESC
        """,
        (id_,),
    )
    return [Listing(*row) for row in rows]


def list_history(conn: Connection, scope: Scope, id_: int, mask: Mask, limit: int) -> list[Entry]:
    """Return the history of an employee, newest first, at most ``limit`` entries, with masked changes.

    It names the runs in the scope only: an employee who moved here has entries of runs elsewhere.
    """
    return [
        to_entry(*row, changes=mask.changes(changes or {}))
        for *row, changes in conn.execute(HISTORY.encode(), {"id": id_, "limit": limit, **scope.values})
    ]


def list_facts(found: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return (label, value) for each field of an employee, in display order."""
    return [(label, found[column]) for column, label in LABELS.items()]
