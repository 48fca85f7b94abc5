"""Rejects across runs for web tests, as runs leave them."""

from hrims.db import Connection
from tests.database.runs import enqueue_run_of
from tests.web.runs import end_run


def met_by(conn: Connection, institution_id: int, vote: str = "001") -> int:
    """Add a run that ended; return its id."""
    return end_run(conn, enqueue_run_of(conn, institution_id, vote))


def add_case(
    conn: Connection,
    run_id: int,
    place: int = 57,
    code: str = "bad_date",
    *,
    closed: bool = False,
    listing: str = "votecode",
    masked: str | None = "58•••••00",
    person: tuple[str | None, str | None, str | None] = ("Asha Juma Makame", "963000", "Wizara ya Afya"),
) -> int:
    """Add a case that the run met at this place, and whose record it is; return its id."""
    row = conn.execute(
        """
        INSERT INTO reject_cases (institution_id, identifier_type, record_key, by_place, code, field, reason,
            masked, page_size, page_number, position, remote_total, first_run_id, last_run_id, times,
            closed_at, closed_run_id, name, payroll_number, workplace)
        SELECT r.institution_id, %(listing)s, record_key('place:' || %(place)s), false, %(code)s,
               'date_of_birth', 'The date is not one that can be read.', %(masked)s, 100, %(place)s / 100,
               %(place)s %% 100, 6408, r.id, r.id, 3,
               CASE WHEN %(closed)s THEN now() END, CASE WHEN %(closed)s THEN r.id END, %(name)s,
               %(payroll)s, %(workplace)s
        FROM runs r WHERE r.id = %(run)s RETURNING id
        """,
        {"run": run_id, "listing": listing, "place": place, "code": code, "masked": masked, "closed": closed}
        | dict(zip(("name", "payroll", "workplace"), person, strict=True)),
    ).fetchone()
    assert row
    return int(row[0])
