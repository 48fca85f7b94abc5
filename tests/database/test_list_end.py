"""The end of a list: what HRIMS answers for the page behind it proves no more than it shows."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from hrims.config import load
from hrims.db import AsyncPool, Connection
from hrims.errors import RemoteError, RemoteLong
from hrims.remote.client import Remote
from hrims.sync import reconcile
from hrims.sync.context import SyncContext
from hrims.sync.list_end.end import fetch_end
from hrims.sync.page_fit import store as page_fit
from hrims.sync.page_fit.check import is_size_confirmed, use_known_size
from hrims.sync.page_fit.fit import PageFit, PageSizeFound
from hrims.sync.repeats.verify import verify
from hrims.sync.spans import Span
from hrims.sync.store import FIRST
from tests.database.runs import institution
from tests.database.sync_steps import begin_new_run, save
from tests.support.people import page, record

MOST_REQUESTS = 30

ASHA, ALI = record(1), record(2)


@asynccontextmanager
async def open_context(
    conn: Connection, pool: AsyncPool, httpserver: HTTPServer, page_size: int = 2
) -> AsyncIterator[SyncContext]:
    """Provide an attempt at a list that is read in pages of this size."""
    settings = load({"HRIMS_BASE_URL": httpserver.url_for(""), "HRIMS_PAGE_PAUSE": "0"})
    attempt = await begin_new_run(conn, pool, institution(conn), page_size)
    async with Remote(settings) as remote:
        context = SyncContext(attempt, remote, pool, settings, lambda: False)
        async with context.slots:
            yield context


def serve(
    httpserver: HTTPServer, records: list[dict[str, Any]], *, behind: list[dict[str, Any]]
) -> list[int]:
    """Serve a list, and behind its first page these answers in turn, the last one again and again. Return
    the page numbers that are asked for, as they come.
    """
    requested: list[int] = []

    def respond(request: Request) -> Response:
        params = request.get_json()["RequestPayloadData"]
        number, size = params["PageNumber"], params["PageSize"]
        requested.append(number)
        if len(requested) > MOST_REQUESTS:
            return Response(status=401)
        body = listed(records[number * size : (number + 1) * size], len(records))
        if size > 1 and number:
            body = behind[min(requested.count(number), len(behind)) - 1]
        return Response(json.dumps(body), content_type="application/json")

    httpserver.expect_request("/Employees").respond_with_handler(respond)
    return requested


def listed(records: list[dict[str, Any]], total: int) -> dict[str, Any]:
    return {"code": 200, "data": records, "overallDataSize": total, "currentDataSize": len(records)}


async def test_it_works(conn: Connection, pool: AsyncPool, httpserver: HTTPServer) -> None:
    serve(httpserver, [ASHA, ALI], behind=[listed([], 2)])
    async with open_context(conn, pool, httpserver) as context:
        end = await fetch_end(context, 2, 2)
    assert end.total == 2
    assert end.behind is not None
    assert end.behind.records == []


@pytest.mark.parametrize("code", [400, 404])
async def test_a_contradiction_before_no_such_page_ends(
    conn: Connection, pool: AsyncPool, httpserver: HTTPServer, code: int
) -> None:
    """The page behind the end is not asked for without an end."""
    requested = serve(httpserver, [ASHA, ALI], behind=[listed([ASHA], 0), {"code": code}])
    async with open_context(conn, pool, httpserver) as context:
        await save(pool, context.attempt, page([ASHA, ALI], total=2, size=2))
        end = await fetch_end(context, 2, 2)
    assert end.total == 2
    assert requested == [1, 1, 0]


async def test_an_endless_contradiction_is_an_error(
    conn: Connection, pool: AsyncPool, httpserver: HTTPServer
) -> None:
    requested = serve(httpserver, [ASHA, ALI], behind=[listed([ASHA], 0)])
    async with open_context(conn, pool, httpserver) as context:
        await save(pool, context.attempt, page([ASHA, ALI], total=2, size=2))
        with pytest.raises(RemoteError, match="which cannot be"):
            await fetch_end(context, 2, 2)
    assert set(requested) == {1}


async def test_a_total_of_0_after_a_pass_that_was_restarted_proves_nothing(
    conn: Connection, pool: AsyncPool
) -> None:
    """No page is left that would contradict it, but people were saved."""
    attempt = await begin_new_run(conn, pool, institution(conn), 2)
    await save(pool, attempt, page([ASHA, ALI], total=2, size=2))
    async with pool.connection() as other:
        await page_fit.restart_pass(other, attempt, FIRST, 1, "HRIMS gives at most 1 record a page.")
    await save(pool, attempt, page([], total=0, size=1))
    counted = await reconcile.reconcile(attempt, pool, [FIRST], 0)
    assert not counted.is_proven
    assert await reconcile.finish(attempt, pool, load({}), counted, repaired=False) == "incomplete"


async def test_an_empty_list_is_not_proven_by_its_first_page_alone(
    conn: Connection, pool: AsyncPool, httpserver: HTTPServer
) -> None:
    requested = serve(httpserver, [], behind=[{"code": 500}])
    async with open_context(conn, pool, httpserver) as context:
        await save(pool, context.attempt, page([], total=0, size=2))
        with pytest.raises(RemoteError):
            await fetch_end(context, 2, 0)
    assert set(requested) == {1}


@pytest.mark.parametrize(
    ("count", "kept"),
    [(2, 1), (4, 1), (5, 0), (9, 0)],
    ids=["a short page", "one page", "a second page that a cap would not cut", "two full pages"],
)
async def test_a_page_size_is_disproved_only_by_pages_that_it_would_spoil(
    conn: Connection, pool: AsyncPool, httpserver: HTTPServer, count: int, kept: int
) -> None:
    records = [record(number) for number in range(count)]
    serve(httpserver, records, behind=[listed(records[4:8], count)])
    conn.execute(
        "INSERT INTO remote_page_sizes (base_url, identifier_type, largest, found_run_id)"
        " VALUES (%s, 'votecode', 3, 1)",
        (httpserver.url_for("").rstrip("/"),),
    )
    async with open_context(conn, pool, httpserver, page_size=4) as context:
        conn.execute("UPDATE remote_page_sizes SET base_url = %s", (context.remote.base_url,))
        await use_known_size(context)
        assert not await is_size_confirmed(context, count)
    assert conn.execute("SELECT count(*) FROM remote_page_sizes").fetchone() == (kept,)


@pytest.mark.parametrize(("total", "confirmed"), [(3, 1), (4, 0)])
async def test_a_repeat_is_confirmed_only_while_the_list_has_the_same_length(
    conn: Connection, pool: AsyncPool, httpserver: HTTPServer, total: int, confirmed: int
) -> None:
    """Otherwise the positions have shifted, and one person may be met at both."""
    serve(httpserver, [ASHA, ALI, ASHA], behind=[listed([ASHA], 3)])
    async with open_context(conn, pool, httpserver) as context:
        await save(pool, context.attempt, page([ASHA, ALI], total=total, size=2))
        await save(pool, context.attempt, page([ASHA], total=total, size=2, number=1))
        assert await verify(context, FIRST, total) == confirmed


async def test_a_page_size_that_the_pass_asks_for_is_no_finding(
    conn: Connection, pool: AsyncPool, httpserver: HTTPServer
) -> None:
    """Parts of its pages hold more records than asked for; to start again with its own size is no help."""
    async with open_context(conn, pool, httpserver) as context:
        of_its_size, larger = PageFit(context, FIRST, 2), PageFit(context, FIRST, 3)
        too_many = RemoteLong("HRIMS gives 2 records.", had=2)
        for _ in range(2):
            larger.add_failure(Span(1, 4), too_many)
        for _ in range(5):
            of_its_size.add_failure(Span(1, 4), too_many)
        with pytest.raises(PageSizeFound):
            larger.add_failure(Span(1, 4), too_many)
