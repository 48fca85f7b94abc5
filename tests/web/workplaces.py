"""People at workplaces that the register does not know, for web tests."""

from hrims.db import Connection
from tests.database.runs import institution

HEALTH, HOSPITAL = "WIZARA YA AFYA", "Hospitali Kuu ya Pwani"


def waiting(conn: Connection, name: str = HOSPITAL, people: int = 3) -> int:
    """Add a workplace that waits, with so many people; return its id."""
    row = conn.execute("INSERT INTO workplaces (name) VALUES (%s) RETURNING id", (name,)).fetchone()
    assert row
    conn.execute(
        """
        INSERT INTO employees (zan_id, status, current_workplace, workplace_id,
                               first_run_id, last_changed_run_id)
        SELECT (100000000 + 10000 * %(id)s + n)::text, 'Confirmed', %(name)s, %(id)s, 1, 1
        FROM generate_series(1, %(people)s) n
        """,
        {"id": row[0], "name": name, "people": people},
    )
    return int(row[0])


def listed(conn: Connection, workplace_id: int, institution_id: int) -> None:
    """List all people of a workplace under an institution's vote code, since run 7."""
    conn.execute(
        "INSERT INTO listings SELECT %s, 'votecode', id, 7 FROM employees WHERE workplace_id = %s",
        (institution_id, workplace_id),
    )


def institution_of(conn: Connection, workplace_id: int) -> list[tuple[str | None, int]]:
    """Return the institutions of a workplace's people, each with the number of people."""
    return conn.execute(
        """
        SELECT i.name, count(*)::int FROM employees e LEFT JOIN institutions i ON i.id = e.institution_id
        WHERE e.workplace_id = %s GROUP BY 1
        """,
        (workplace_id,),
    ).fetchall()


__all__ = ["HEALTH", "HOSPITAL", "institution", "institution_of", "listed", "waiting"]
