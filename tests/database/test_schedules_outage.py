"""A schedule whose batch the database cannot write just now: its time stays due. A defect blocks no other."""

from datetime import timedelta

import psycopg
import pytest

from hrims.db import Connection
from hrims.schedules import decide, fire
from tests.database.runs import ASHA
from tests.database.test_schedules import became, due

BREAK = """
CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'broken' USING ERRCODE = '{}'; END $$;
CREATE TRIGGER broken BEFORE INSERT ON batches EXECUTE FUNCTION broken()
"""


@pytest.fixture
def schedule(conn: Connection) -> int:
    """A schedule of all institutions, of which there is one, that asks for what it has missed."""
    conn.execute("INSERT INTO institutions (name, vote_code) VALUES ('WIZARA YA AFYA', '001')")
    return decide.add(conn, ASHA, {"name": "Nightly", "cron": "0 1 * * *", "missed": "once"})


@pytest.mark.parametrize("code", ["25006", "53100", "57014", "58030", "XX000"])
def test_its_time_stays_due_and_is_asked_for_afterwards(conn: Connection, schedule: int, code: str) -> None:
    conn.execute(BREAK.format(code).encode())
    due(conn, schedule, timedelta(seconds=5))
    for _ in range(2):
        with pytest.raises(psycopg.Error) as raised:
            fire.fire_one(conn)
        assert raised.value.sqlstate == code
    assert became(conn, schedule) == []
    conn.execute("DROP TRIGGER broken ON batches")
    assert fire.fire_one(conn)
    assert became(conn, schedule) == ["asked"]


@pytest.mark.parametrize("code", ["XX000", "23514"])
def test_one_that_stays_broken_fails_and_blocks_no_other(conn: Connection, schedule: int, code: str) -> None:
    """What may be a defect of ours, or of the data, is repeated for ten minutes."""
    conn.execute(BREAK.format(code).encode())
    due(conn, schedule, fire.LATE + timedelta(minutes=1))
    assert fire.fire_one(conn)
    assert became(conn, schedule) == ["failed"]
    assert not fire.fire_one(conn)
