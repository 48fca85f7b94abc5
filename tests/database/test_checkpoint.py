"""A pass continues from its checkpoint: saved pages are not requested again, and only their records count."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from hrims.config import load
from hrims.db import AsyncPool, Connection
from hrims.remote.client import Remote
from hrims.sync import passes, store
from hrims.sync.context import SyncContext
from hrims.sync.store import FIRST
from tests.database.runs import institution
from tests.database.sync_steps import begin_new_run, save
from tests.support.people import page, record

PEOPLE = [record(number) for number in range(7)]


@asynccontextmanager
async def open_context(
    conn: Connection, pool: AsyncPool, httpserver: HTTPServer
) -> AsyncIterator[tuple[SyncContext, list[tuple[int, int]]]]:
    """Provide an attempt at the list of PEOPLE in pages of two, and the pages that HRIMS is asked for."""
    requested: list[tuple[int, int]] = []

    def respond(request: Request) -> Response:
        params = request.get_json()["RequestPayloadData"]
        number, size = params["PageNumber"], params["PageSize"]
        requested.append((size, number))
        records = PEOPLE[number * size : (number + 1) * size]
        body = {"code": 200, "data": records, "overallDataSize": len(PEOPLE), "currentDataSize": len(records)}
        return Response(json.dumps(body), content_type="application/json")

    httpserver.expect_request("/Employees").respond_with_handler(respond)
    settings = load({"HRIMS_BASE_URL": httpserver.url_for(""), "HRIMS_PAGE_PAUSE": "0"})
    attempt = await begin_new_run(conn, pool, institution(conn), 2)
    async with Remote(settings) as remote:
        context = SyncContext(attempt, remote, pool, settings, lambda: False)
        async with context.slots:
            yield context, requested


async def test_saved_pages_are_not_requested_again(
    conn: Connection, pool: AsyncPool, httpserver: HTTPServer
) -> None:
    async with open_context(conn, pool, httpserver) as (context, requested):
        for number in (0, 2):
            records = PEOPLE[2 * number : 2 * number + 2]
            await save(pool, context.attempt, page(records, total=7, number=number, size=2))
        await passes.read_part(context, FIRST, ())
    assert sorted(requested) == [(2, 1), (2, 3)]


async def test_a_short_page_is_saved_up_to_its_last_record(
    conn: Connection, pool: AsyncPool, httpserver: HTTPServer
) -> None:
    """The list had five people when its last page was read, and has seven now."""
    async with open_context(conn, pool, httpserver) as (context, requested):
        for number in range(3):
            records = PEOPLE[:5][2 * number : 2 * number + 2]
            await save(pool, context.attempt, page(records, total=5, number=number, size=2))
        async with pool.connection() as other:
            saved, total = await store.saved_pages(other, context.attempt, FIRST)
        assert ([(one.start, one.stop) for one in saved], total) == ([(0, 2), (2, 4), (4, 5)], 5)
        assert await passes.read_list(context, FIRST, known_total=7) == 7
        async with pool.connection() as other:
            saved, _ = await store.saved_pages(other, context.attempt, FIRST)
    assert (saved[0].start, saved[-1].stop) == (0, 7)
    assert all(before.stop == after.start for before, after in pairwise(saved))
    assert requested
    assert all(size * number >= 5 for size, number in requested)
