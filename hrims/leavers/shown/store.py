"""Departures and their people, read in SQL. Each function works inside its caller's transaction."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row, dict_row

from hrims.db import Connection

DEPARTURE = """
SELECT d.id, d.institution_id, i.name AS institution, d.identifier_type, d.run_id, d.asked_by, d.state, d.why,
       d.listed, d.people, d.leavers, d.transfers, d.created_at, d.decided_by, d.decided_at, d.undone_by,
       d.undone_at,
       (SELECT count(*) FROM departure_people p
        WHERE p.departure_id = d.id AND p.became = 'unlisted') AS unlisted,
       EXISTS (SELECT FROM departure_people p
               JOIN listings l ON l.institution_id = d.institution_id
                   AND l.identifier_type = d.identifier_type AND l.employee_id = p.employee_id
               WHERE p.departure_id = d.id AND l.ended_run_id = d.run_id) AS stands,
       CASE WHEN d.state = 'waiting' THEN (
           SELECT count(*) FROM departure_people p
           JOIN listings l ON l.institution_id = d.institution_id AND l.identifier_type = d.identifier_type
               AND l.employee_id = p.employee_id AND l.missed_since_run_id = p.missed_since_run_id
           WHERE p.departure_id = d.id) ELSE d.people END AS missing
FROM departures d JOIN institutions i ON i.id = d.institution_id
"""


@dataclass(frozen=True)
class Shown:
    """A departure. ``missing`` of its ``people`` are not on the list still; the others came back.
    ``unlisted`` are those whom the institution's other number lists; it ``stands`` while
    somebody's list has ended by it.
    """

    id: int
    institution_id: int
    institution: str
    identifier_type: str
    run_id: int
    asked_by: str
    state: str
    why: str | None
    listed: int
    people: int
    leavers: int
    transfers: int
    created_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    undone_by: str | None
    undone_at: datetime | None
    unlisted: int
    stands: bool
    missing: int

    @property
    def share(self) -> float:
        """Per cent of the list."""
        return round(100 * self.people / self.listed, 1) if self.listed else 100.0

    @property
    def can_be_undone(self) -> bool:
        return self.state in {"applied", "approved"} and self.stands


def one(conn: Connection, id_: int) -> Shown | None:
    """One departure."""
    with conn.cursor(row_factory=class_row(Shown)) as cursor:
        return cursor.execute(f"{DEPARTURE} WHERE d.id = %s".encode(), (id_,)).fetchone()


def waiting(conn: Connection) -> list[Shown]:
    """What waits for approval, oldest first; at most one for each list."""
    with conn.cursor(row_factory=class_row(Shown)) as cursor:
        return cursor.execute(f"{DEPARTURE} WHERE d.state = 'waiting' ORDER BY d.id".encode()).fetchall()


def recent(conn: Connection, most: int) -> list[Shown]:
    """What was carried out, refused or undone, newest first."""
    with conn.cursor(row_factory=class_row(Shown)) as cursor:
        return cursor.execute(
            f"{DEPARTURE} WHERE d.state NOT IN ('waiting', 'superseded')"
            " ORDER BY d.id DESC LIMIT %s".encode(),
            (most,),
        ).fetchall()


def people(conn: Connection, departure_id: int, most: int, skip: int = 0) -> list[dict[str, Any]]:
    """Whom a departure is about: ``id``, ``zanId``, ``name``, ``cadre``, ``workplace``, ``became`` (left,
    transferred, unlisted, or None), ``left`` (whether they are a leaver now).
    """
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            """
            SELECT e.id, e.zan_id AS "zanId", e.name, e.cadre, e.current_workplace AS workplace, p.became,
                   e.left_run_id IS NOT NULL AS left
            FROM departure_people p JOIN employees e ON e.id = p.employee_id
            WHERE p.departure_id = %s ORDER BY p.employee_id LIMIT %s OFFSET %s
            """,
            (departure_id, most, skip),
        ).fetchall()
