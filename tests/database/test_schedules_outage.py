"""A schedule whose batch the database cannot write just now: its time stays due. A defect blocks no other."""

from datetime import timedelta

import psycopg
import pytest

from hrims.db import Connection
from hrims.schedules import actions, scheduler
from hrims.schedules.request import ScheduleRequest
from tests.database.test_schedules import became, due
from tests.support.databases import execute_as_owner
from tests.support.users import ASHA

BREAK = """
CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'broken' USING ERRCODE = '{}'; END $$;
CREATE TRIGGER broken BEFORE INSERT ON batches EXECUTE FUNCTION broken()
"""


@pytest.fixture
def schedule(conn: Connection) -> int:
    """Return a schedule of all institutions, of which there is one, that asks for what it has missed."""
    conn.execute("INSERT INTO institutions (name, vote_code) VALUES ('WIZARA YA AFYA', '001')")
    return actions.add(conn, ASHA, ScheduleRequest(name="Nightly", cron="0 1 * * *", missed="once"))


@pytest.mark.parametrize("code", ["25006", "53100", "57014", "58030", "XX000"])
def test_a_missed_time_stays_due_and_runs_afterwards(conn: Connection, schedule: int, code: str) -> None:
    execute_as_owner(conn, BREAK.format(code))
    due(conn, schedule, timedelta(seconds=5))
    for _ in range(2):
        with pytest.raises(psycopg.Error) as raised:
            scheduler.fire_due_schedule(conn)
        assert raised.value.sqlstate == code
    assert became(conn, schedule) == []
    execute_as_owner(conn, "DROP TRIGGER broken ON batches")
    assert scheduler.fire_due_schedule(conn)
    assert became(conn, schedule) == ["enqueued"]


@pytest.mark.parametrize("code", ["XX000", "23514"])
def test_one_that_stays_broken_fails_and_blocks_no_other(conn: Connection, schedule: int, code: str) -> None:
    """What may be a defect of ours, or of the data, is repeated for ten minutes."""
    execute_as_owner(conn, BREAK.format(code))
    due(conn, schedule, scheduler.MISFIRE_GRACE + timedelta(minutes=1))
    assert scheduler.fire_due_schedule(conn)
    assert became(conn, schedule) == ["failed"]
    assert not scheduler.fire_due_schedule(conn)
