"""Searching people and reading one's history, in SQL. Each function works inside its caller's transaction."""

from datetime import datetime
from typing import Any, NamedTuple

from psycopg.rows import dict_row

from hrims.db import Connection
from hrims.people.timeline import LABELS, Entry, entry

BY_NUMBER = """
SELECT id FROM employees WHERE zan_id = %(words)s
UNION
SELECT id FROM employees WHERE payroll_number = %(words)s
LIMIT %(most)s
"""

# Each branch goes by an index, in its order, and stops when it has enough.
BY_NAME = """
(SELECT id FROM employees WHERE lower(name) LIKE lower(%(whole)s)
 ORDER BY lower(name) USING ~<~ LIMIT %(most)s)
UNION
(SELECT id FROM employees WHERE last_word(name) LIKE lower(%(last)s) AND lower(name) LIKE lower(%(first)s)
 ORDER BY last_word(name) USING ~<~ LIMIT %(most)s)
UNION
(SELECT id FROM employees WHERE last_word(name) LIKE lower(%(first)s) AND lower(name) LIKE lower(%(last)s)
 ORDER BY last_word(name) USING ~<~ LIMIT %(most)s)
"""

FOUND = """
SELECT e.id, e.zan_id, e.payroll_number, e.name, e.cadre, e.current_workplace, e.status, e.left_at,
       i.name AS institution
FROM employees e LEFT JOIN institutions i ON i.id = e.institution_id
WHERE e.id = ANY(%(ids)s) ORDER BY lower(e.name), e.id LIMIT %(most)s
"""

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
    """People by ZanID, payroll number, or the beginning of their name or of its first and last word, in
    either order; at most so many, by name.
    """
    words = " ".join(words.split())
    if not words:
        return []
    given: dict[str, Any] = {"words": words, "most": most, **_patterns(words)}
    ids = [id_ for (id_,) in conn.execute(BY_NUMBER, given)]
    if not ids:
        ids = [id_ for (id_,) in conn.execute(BY_NAME, given)]
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(FOUND, {"ids": ids, "most": most}).fetchall()


def _patterns(words: str) -> dict[str, str]:
    parts = [one.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") for one in words.split(" ")]
    first = parts[0] if len(parts) > 1 else ""
    return {"whole": f"{' '.join(parts)}%", "first": f"{first}%", "last": f"{parts[-1]}%"}


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
