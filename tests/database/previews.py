"""Previews made by the functions that the product itself uses: records come in, runs go out."""

from typing import Any

from hrims.config import load
from hrims.db import AsyncPool, Connection
from hrims.follow import store as follow
from hrims.jobs import ask
from hrims.jobs.ask import Asked as Queued
from hrims.jobs.attempts.store import Attempt
from hrims.previews import decide, store
from hrims.sync import apply, pages, reconcile
from hrims.sync.pages import Asked
from hrims.sync.repeats.resolve import resolve
from hrims.sync.work import Work
from tests.database.runs import ASHA, begin
from tests.people import page

PAGE_SIZE = 10


def rows(conn: Connection, sql: str) -> list[Any]:
    """What a query returns."""
    return conn.execute(sql.encode()).fetchall()


def queue(conn: Connection, institution_id: int, kind: str = "preview", vote: str = "001") -> int:
    """A queued run of this kind; returns its id."""
    return ask.ask(
        conn,
        ASHA,
        institution_id=institution_id,
        identifier_type="votecode",
        identifier=vote,
        page_size=PAGE_SIZE,
        kind=kind,
    ).run_id


async def fetch(
    conn: Connection,
    pool: AsyncPool,
    institution_id: int,
    records: list[dict[str, Any]],
    kind: str = "preview",
    *,
    vote: str = "001",
) -> int:
    """A run of this kind over the records, in pages of PAGE_SIZE, ended as it adds up; returns its id."""
    attempt = await begin(conn, pool, queue(conn, institution_id, kind, vote))
    await save_all(attempt, pool, records)
    await end(attempt, pool, len(records))
    return attempt.run_id


async def save_all(
    attempt: Attempt, pool: AsyncPool, records: list[dict[str, Any]], reading: int = 1
) -> None:
    """Saves the records as pages of a reading."""
    for number in range(max(1, -(-len(records) // PAGE_SIZE))):
        some = records[number * PAGE_SIZE : (number + 1) * PAGE_SIZE]
        one = page(some, total=len(records), number=number, size=PAGE_SIZE)
        await pages.save(attempt, Asked(one, 5, pages.shape(one)), pool, reading=reading)


async def end(attempt: Attempt, pool: AsyncPool, total: int, readings: list[int] | None = None) -> None:
    """Ends the run as its first reading adds up, or others."""
    await resolve(attempt, pool, readings or [1])
    counted = await reconcile.add_up(attempt, pool, readings or [1], total)
    await reconcile.finish(attempt, pool, load({}), counted, repaired=False)


def wanted(conn: Connection, preview_id: int) -> decide.Wanted:
    """What ``decide`` wants to know of a preview."""
    run = follow.read(conn, preview_id)
    assert run
    assert run.institution_id
    return decide.Wanted(
        run.id,
        run.state,
        run.institution_id,
        run.institution,
        run.identifier_type,
        run.identifier,
        run.page_size,
    )


def approve(conn: Connection, preview_id: int) -> Queued:
    """Somebody looks at the difference and applies it."""
    version = store.difference(conn, preview_id).version
    return decide.apply(conn, ASHA, wanted(conn, preview_id), version)


async def carry_out(conn: Connection, pool: AsyncPool, run_id: int) -> None:
    """Applies, as a worker does whose remote is not there."""
    attempt = await begin(conn, pool, run_id)
    await apply.apply(Work(attempt, None, pool, load({}), lambda: False))  # type: ignore[arg-type] # it asks nobody
