"""Searching people and reading one's history, in SQL. Each function works inside its caller's transaction."""

from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import dict_row

from hrims.db import Connection, statements
from hrims.errors import InvalidInput
from hrims.people import queries
from hrims.people.timeline import LABELS, Entry, entry
from hrims.text import clean, compact

FIND = statements(Path(__file__).with_name("find_people.sql"))

LIMIT = "5s"
"""Time that a statement of a search may take."""

HISTORY = """
SELECT h.at, h.kind, h.run_id, r.requested_by, h.made_by, i.name, h.identifier_type, h.changes
FROM (
    (SELECT created_at AS at, 'first_seen' AS kind, first_run_id AS run_id, NULL AS made_by,
            NULL::bigint AS institution_id, NULL AS identifier_type, NULL::jsonb AS changes, 0::bigint AS id
     FROM employees WHERE id = %(id)s)
    UNION ALL
    (SELECT changed_at, 'changed', run_id, made_by, NULL, NULL, changes, id
     FROM employee_changes WHERE employee_id = %(id)s ORDER BY id DESC LIMIT %(most)s)
    UNION ALL
    (SELECT at, kind, run_id, made_by, institution_id, identifier_type, NULL, id
     FROM employee_events WHERE employee_id = %(id)s ORDER BY id DESC LIMIT %(most)s)
) h
LEFT JOIN runs r ON r.id = h.run_id
LEFT JOIN institutions i ON i.id = h.institution_id
ORDER BY h.at DESC, h.kind <> 'first_seen' DESC, h.id DESC LIMIT %(most)s
"""


class Listing(NamedTuple):
    """That an institution's vote code or TIN lists or listed a person."""

    institution: str
    identifier_type: str
    identifier: str | None
    since_run_id: int
    missed_runs: int
    ended_at: datetime | None
    ended_run_id: int | None


def search(conn: Connection, words: str, most: int) -> list[dict[str, Any]]:
    """Return people by ZanID or payroll number, else by any parts of their name in any order, and after them,
    with ``is_similar``, people with a similar name; at most so many. Raises InvalidInput if it takes too
    long.
    """
    try:
        with conn.transaction():
            conn.execute(FIND["plan_by_index"], {"limit": LIMIT})
            return _search(conn, clean(words), most)
    except psycopg.errors.QueryCanceled:
        raise InvalidInput(
            "The search took too long and was stopped. Type more of the name.", "search_too_long"
        ) from None


def _search(conn: Connection, words: str, most: int) -> list[dict[str, Any]]:
    given = {"words": words, "number": compact(words), "most": most}
    similar: list[int] = []
    ids = _ids(conn, "by_number", given)
    if not ids:
        parts = _parts(conn, words)
        ids = _by_name(conn, parts, most)
        similar = _by_near_spelling(conn, parts, ids, min(queries.MOST_SIMILAR, most - len(ids)))
    with conn.cursor(row_factory=dict_row) as cursor:
        found = {"ids": ids + similar, "similar": similar, "words": words, "most": most}
        return cursor.execute(FIND["found"], found).fetchall()


def _ids(conn: Connection, name: str, given: dict[str, Any]) -> list[int]:
    return [id_ for (id_,) in conn.execute(FIND[name], given)]


def _parts(conn: Connection, words: str) -> list[str]:
    row = conn.execute(FIND["parts"], {"words": words}).fetchone()
    return row[0] if row else []


def _by_name(conn: Connection, parts: list[str], most: int) -> list[int]:
    if not parts:
        return []
    first = _ids(conn, "by_beginning", {"beginning": queries.beginning(parts), "most": most})
    if len(first) >= most:
        return first
    others = _ids(
        conn, "by_parts", {"query": queries.query(parts), "rest": queries.rest(parts), "most": most}
    )
    return list(dict.fromkeys(first + others))[:most]


def _by_near_spelling(conn: Connection, parts: list[str], found: list[int], most: int) -> list[int]:
    given = {"parts": parts, "most": queries.NEAR_WORDS, "shortest": queries.SHORTEST_NEAR}
    if not parts or most < 1:
        return []
    near = queries.by_place(conn.execute(FIND["near_words"], given))
    if not near:
        return []
    query = {"query": queries.query(parts, near), "rest": queries.rest(parts), "key": " ".join(parts)}
    others = {"ids": found, "compared": queries.COMPARED, "most": most}
    return _ids(conn, "by_near_words", {**query, **others})


def person(conn: Connection, id_: int) -> dict[str, Any] | None:
    """Everything that is kept of a person, by column, and ``institution``, the name of where they work."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            "SELECT e.*, i.name AS institution FROM employees e"
            " LEFT JOIN institutions i ON i.id = e.institution_id WHERE e.id = %s",
            (id_,),
        ).fetchone()


def listings(conn: Connection, id_: int) -> list[Listing]:
    """Whose lists have or had a person; those that go on first."""
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


def history(conn: Connection, id_: int, most: int) -> list[Entry]:
    """What happened to a person, newest first, at most so many things."""
    return [entry(*row) for row in conn.execute(HISTORY, {"id": id_, "most": most})]


def facts(found: dict[str, Any]) -> list[tuple[str, Any]]:
    """(label, value) of a person's fields, in the order in which a page shows them."""
    return [(words, found[field]) for field, words in LABELS.items()]
