"""Quiet hours of a schedule."""

from datetime import UTC, datetime, timedelta

import pytest

from hrims.access.scope import EVERYTHING
from hrims.db import Connection
from hrims.jobs.store import FENCED
from hrims.runs import store as run_store
from hrims.schedules import actions, calendar, store
from tests.database.runs import enqueue_run_of, institution, register_worker
from tests.database.test_schedules import NIGHTLY, add
from tests.support.users import ASHA


@pytest.mark.parametrize(
    ("opens", "closes", "at", "ends"),
    [
        ("07:00", "16:00", "06:59", None),
        ("07:00", "16:00", "07:00", "16:00"),
        ("07:00", "16:00", "15:59", "16:00"),
        ("07:00", "16:00", "16:00", None),
        ("22:00", "05:00", "21:59", None),
        ("22:00", "05:00", "22:00", "05:00 of the next day"),
        ("22:00", "05:00", "04:59", "05:00"),
        ("22:00", "05:00", "05:00", None),
    ],
)
def test_quiet_hours_end_when_they_say(
    conn: Connection, opens: str, closes: str, at: str, ends: str | None
) -> None:
    zone = calendar.check_zone("Africa/Dar_es_Salaam")
    moment = datetime.fromisoformat(f"2026-11-25T{at}").replace(tzinfo=zone)
    [(found,)] = conn.execute(
        "SELECT quiet_end(%s::time, %s::time, 'Africa/Dar_es_Salaam', %s)", (opens, closes, moment)
    ).fetchall()
    day = 26 if ends and "next day" in ends else 25
    expected = ends and datetime.fromisoformat(f"2026-11-{day}T{ends[:5]}").replace(tzinfo=zone)
    assert found == (expected and expected.astimezone(UTC))


def quiet_now(conn: Connection) -> tuple[datetime, dict[str, str]]:
    """Return quiet hours around the current time of that zone."""
    now = store.now(conn).astimezone(calendar.check_zone("Africa/Dar_es_Salaam"))
    hour = timedelta(hours=1)
    return now, {"quietFrom": f"{now - hour:%H:%M}", "quietUntil": f"{now + hour:%H:%M}"}


def test_a_run_waits_in_its_quiet_hours_and_others_go_before(conn: Connection, health: int) -> None:
    worker = register_worker(conn)
    now, quiet = quiet_now(conn)
    actions.run_now(conn, ASHA, add(conn, NIGHTLY | quiet | {"priority": "urgent"}))
    other = enqueue_run_of(conn, institution(conn, "TUME", "037", "129673100"), "037")
    quiet_run = run_store.find_run(conn, EVERYTHING, 1)
    assert quiet_run
    assert quiet_run.message.startswith("Waiting for the end of the quiet hours, ")
    assert quiet_run.starts_at
    take = {"queues": None, "worker_id": worker}
    taken = conn.execute(FENCED["fetch"], take).fetchone()
    assert taken
    assert conn.execute("SELECT id FROM runs WHERE queue_job_id = %s", (taken[0],)).fetchone() == (other,)
    assert conn.execute(FENCED["fetch"], take).fetchone()[0] is None  # type: ignore[index]
    conn.execute("UPDATE runs SET quiet_from = %s, quiet_until = %s WHERE quiet_from IS NOT NULL",
                 (f"{now - timedelta(hours=2):%H:%M}", f"{now - timedelta(hours=1):%H:%M}"))  # fmt: skip
    assert conn.execute(FENCED["fetch"], take).fetchone()[0] is not None  # type: ignore[index]


def test_a_request_for_a_run_that_waits_for_its_hours_starts_it_now(conn: Connection, health: int) -> None:
    worker = register_worker(conn)
    _, hours = quiet_now(conn)
    actions.run_now(conn, ASHA, add(conn, NIGHTLY | hours))
    conn.execute("UPDATE runs SET not_before = now() + interval '3 hours'")
    conn.execute("UPDATE procrastinate_jobs SET scheduled_at = now() + interval '3 hours'")
    take = {"queues": None, "worker_id": worker}
    assert conn.execute(FENCED["fetch"], take).fetchone()[0] is None  # type: ignore[index]
    assert enqueue_run_of(conn, health) == 1
    audit = conn.execute("SELECT action FROM audit_log WHERE subject = 'run:1' ORDER BY id").fetchall()
    assert audit[-2:] == [("run.start_now",), ("run.priority",)]
    assert conn.execute(FENCED["fetch"], take).fetchone()[0] is not None  # type: ignore[index]


def test_a_deadline_counts_from_the_end_of_the_quiet_hours(conn: Connection, health: int) -> None:
    conn.execute("UPDATE institutions SET deadline_minutes = 60")
    now = store.now(conn).astimezone(calendar.check_zone("Africa/Dar_es_Salaam"))
    quiet = {
        "quietFrom": f"{now - timedelta(hours=1):%H:%M}",
        "quietUntil": f"{now + timedelta(hours=3):%H:%M}",
    }
    actions.run_now(conn, ASHA, add(conn, NIGHTLY | quiet))
    assert conn.execute("SELECT deadline_at > now() + interval '3 hours' FROM runs").fetchone() == (True,)
