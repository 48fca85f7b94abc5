"""One person: the response of HRIMS is saved for the requested person only."""

from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from hrims.config import load
from hrims.db import AsyncPool, Connection
from hrims.errors import RemoteGarbled
from hrims.jobs.enqueue_person import enqueue_person
from hrims.remote.client import Remote
from hrims.sync import person
from hrims.sync.context import SyncContext
from tests.database.runs import begin
from tests.support.people import record
from tests.support.users import ASHA


async def bring(conn: Connection, pool: AsyncPool, httpserver: HTTPServer, key: str, data: Any) -> None:
    """Let an attempt at this person meet an HRIMS that answers with ``data``."""
    httpserver.expect_request("/Employees").respond_with_json({"code": 200, "data": data})
    settings = load(
        {"HRIMS_BASE_URL": httpserver.url_for(""), "HRIMS_PAGE_TRIES": "2", "HRIMS_PAGE_PAUSE": "0"}
    )
    attempt = await begin(conn, pool, enqueue_person(conn, ASHA, key).run_id)
    async with Remote(settings) as remote:
        await person.sync_person(SyncContext(attempt, remote, pool, settings, lambda: False))


@pytest.mark.parametrize("key", ["580330001", "963001", "5803 30001"])
async def test_it_works(conn: Connection, pool: AsyncPool, httpserver: HTTPServer, key: str) -> None:
    await bring(conn, pool, httpserver, key, record(1, payrollNumber=" 963001 "))
    assert conn.execute("SELECT zan_id FROM employees").fetchall() == [("580330001",)]
    assert conn.execute("SELECT outcome, people FROM runs").fetchall() == [("complete", 1)]


@pytest.mark.parametrize("key", ["580330002", "963002", "58033000"])
async def test_another_person_is_refused(
    conn: Connection, pool: AsyncPool, httpserver: HTTPServer, key: str
) -> None:
    with pytest.raises(RemoteGarbled, match="another person"):
        await bring(conn, pool, httpserver, key, record(1))
    assert conn.execute("SELECT count(*) FROM employees").fetchone() == (0,)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (record(1, zanIdNumber=None), "no_zan_id"),
        (record(1, birthDate="yesterday"), "bad_date"),
        (record(1, firstName=5), "wrong_type"),
    ],
)
async def test_an_invalid_record_is_a_reject(
    conn: Connection, pool: AsyncPool, httpserver: HTTPServer, data: Any, code: str
) -> None:
    await bring(conn, pool, httpserver, "963001", data)
    assert conn.execute("SELECT code FROM rejects").fetchall() == [(code,)]
    assert conn.execute("SELECT outcome, people FROM runs").fetchall() == [("complete", 0)]
    assert conn.execute("SELECT count(*) FROM employees").fetchone() == (0,)
