"""Lists with one record that spoils every page it is on: the sync saves all the others."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from hrims.access.scope import EVERYTHING
from hrims.config import load
from hrims.db import AsyncPool, Connection
from hrims.remote.client import Remote
from hrims.runs import store
from hrims.runs.model import Run
from hrims.sync.context import SyncContext
from hrims.sync.run import sync_listing
from tests.database.runs import institution
from tests.database.sync_steps import begin_new_run
from tests.support.people import record

PEOPLE, PAGE_SIZE, SPOILED = 40, 10, 23

SETTINGS = {
    "HRIMS_PAGE_PAUSE": "0",
    "HRIMS_PAGE_TRIES": "2",
    "HRIMS_MAX_RESPONSE_MB": "1",
}

GARBLED = ("incomplete", PEOPLE - 1, 1, 0)
"""The record may be good, so it is missing and not rejected."""

REJECTED = ("complete", PEOPLE - 1, 0, 1)


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    """Provide a server of several threads: one alone waits for a connection on which no request comes."""
    with HTTPServer(threaded=True) as running:
        yield running


def answer(kind: str) -> Response:
    """Return an answer that is no page."""
    bodies = {"html": "<html>login</html>", "half_json": '{"code": 200, "data": ['}
    bodies |= {"data_null": '{"code": 200}', "endless": " " * 2**21, "body500": '{"code": 500}'}
    return Response(bodies.get(kind, ""), status=503 if kind == "http503" else 200)


def serve(server: HTTPServer, kind: str) -> None:
    """Serve a list. Each page that has the spoiled record gets the bad answer instead."""
    records = [record(number) for number in range(PEOPLE)]

    def respond(request: Request) -> Response:
        params = request.get_json()["RequestPayloadData"]
        size = params.get("PageSize", 1)  # the request that asks if HRIMS is there has none
        start = params.get("PageNumber", 0) * size
        stop = min(start + size, PEOPLE)
        if start <= SPOILED < stop:
            return answer(kind)
        data = records[start:stop]
        body = {"code": 200, "data": data, "overallDataSize": PEOPLE, "currentDataSize": len(data)}
        return Response(json.dumps(body), content_type="application/json")

    server.expect_request("/Employees").respond_with_handler(respond)


async def sync(conn: Connection, pool: AsyncPool, server: HTTPServer) -> Run:
    settings = load({"HRIMS_BASE_URL": server.url_for(""), **SETTINGS})
    attempt = await begin_new_run(conn, pool, institution(conn), PAGE_SIZE)
    async with Remote(settings) as remote:
        context = SyncContext(attempt, remote, pool, settings, lambda: False)
        async with context.slots:
            await sync_listing(context)
    run = store.find_run(conn, EVERYTHING, attempt.run_id)
    assert run
    return run


@pytest.mark.parametrize(
    ("kind", "ending"),
    [
        ("html", GARBLED),
        ("half_json", GARBLED),
        ("empty", GARBLED),
        ("data_null", GARBLED),
        ("endless", REJECTED),
        ("http503", REJECTED),
        ("body500", REJECTED),
    ],
)
async def test_one_record_that_spoils_its_pages_costs_itself_alone(
    conn: Connection, pool: AsyncPool, server: HTTPServer, kind: str, ending: tuple[Any, ...]
) -> None:
    serve(server, kind)
    run = await sync(conn, pool, server)
    assert (run.outcome, run.people, run.missing, run.rejected) == ending
    saved = [f"58033{number:04d}" for number in range(PEOPLE) if number != SPOILED]
    assert [zan_id for (zan_id,) in conn.execute("SELECT zan_id FROM employees ORDER BY 1")] == saved
