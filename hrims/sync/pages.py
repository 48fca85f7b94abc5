"""Pages of a run: a page is asked for once and judged; its people, history, listings, rejects,
counters, progress and checkpoint are saved in one transaction.
"""

import hashlib
import logging
import time
from typing import NamedTuple

import psycopg

from hrims.db import AsyncConnection, AsyncPool
from hrims.drift.tally import Tally, tally
from hrims.employees import store as employees
from hrims.employees.mapping import Reject, Row, to_row
from hrims.employees.rejects import breaks_hrims
from hrims.employees.store import Kept
from hrims.errors import RemoteShort
from hrims.jobs.attempts.store import Attempt
from hrims.previews import store as previews
from hrims.rejects import cases
from hrims.remote.client import Remote
from hrims.remote.wire import Page
from hrims.steady import patiently, to_its_end
from hrims.sync import store
from hrims.sync.spans import Span

log = logging.getLogger(__name__)


class Shaped(NamedTuple):
    """A page's rows by position, each ZanID once; how many repeated one; the rejects; a digest of
    whom it holds, None for fewer than two people; and how often its fields are filled.
    """

    rows: list[tuple[int, Row]]
    repeated: int
    rejects: list[tuple[int, Reject]]
    fingerprint: bytes | None
    tally: Tally | None = None


class Asked(NamedTuple):
    """A page as the remote sent it, how long that took in milliseconds, and what it comes to."""

    page: Page
    fetch_ms: int
    shaped: Shaped


async def ask(remote: Remote, attempt: Attempt, span: Span) -> Asked:
    """Asks for a page once. Raises RemoteError; RemoteShort when it holds fewer than it counts itself."""
    began = time.monotonic()
    page = await remote.page(attempt.identifier_type, attempt.identifier, span.number, span.size)
    there = max(0, min(span.size, page.total - span.start))
    if len(page.records) < there:
        had = len(page.records)
        raise RemoteShort(f"HRIMS sent {had} records where it counts {there}.", had=had)
    return Asked(page, _ms_since(began), shape(page))


def shape(page: Page) -> Shaped:
    """Sorts the records of a page into rows, repeats and rejects; positions count from 0."""
    rows: dict[str, tuple[int, Row]] = {}
    rejects: list[tuple[int, Reject]] = []
    for position, record in enumerate(page.records):
        shaped = to_row(record)
        if isinstance(shaped, Reject):
            rejects.append((position, shaped))
        else:
            rows.setdefault(shaped.zan_id, (position, shaped))
    repeated = len(page.records) - len(rows) - len(rejects)
    counts = tally(page, [row for _, row in rows.values()])
    return Shaped(list(rows.values()), repeated, rejects, _fingerprint(rows), counts)


def _fingerprint(zan_ids: dict[str, tuple[int, Row]]) -> bytes | None:
    if len(zan_ids) < 2:
        # One person may well be met alone twice: that is counted, and is no page sent twice.
        return None
    return hashlib.blake2b(" ".join(zan_ids).encode(), digest_size=16).digest()


async def save(attempt: Attempt, asked: Asked, pool: AsyncPool, *, reading: int) -> None:
    """Saves a page in one transaction, once: a page whose commit got lost is found saved."""

    async def write() -> None:
        async with pool.connection() as conn:
            try:
                await to_its_end(_save_in(conn, attempt, asked, reading))
            except psycopg.errors.UniqueViolation as clash:
                if clash.diag.constraint_name != "run_pages_pkey":
                    raise
                log.info("run %s page %s was saved already", attempt.run_id, asked.page.number)

    await patiently(write)


async def save_broken(attempt: Attempt, span: Span, total: int, pool: AsyncPool, *, reading: int) -> None:
    """Saves a single record that breaks every page it is on, as what it is: a reject with its place."""
    page = Page(span.number, span.size, total, [])
    shaped = Shaped([], 0, [(0, breaks_hrims())], None)
    await save(attempt, Asked(page, 0, shaped), pool, reading=reading)


async def note(attempt: Attempt, words: str, pool: AsyncPool) -> None:
    """Tells whoever watches what the attempt is about."""

    async def write() -> None:
        async with pool.connection() as conn:
            await store.check_fence(conn, attempt)
            await store.note(conn, attempt, words)

    await patiently(write)


async def _save_in(conn: AsyncConnection, attempt: Attempt, asked: Asked, reading: int) -> None:
    began = time.monotonic()
    shaped = asked.shaped
    # What needs no answer travels with what does: most of a page's time would be trips to Postgres.
    async with conn.pipeline():
        kept = await KEEP.get(attempt.kind, _keep)(conn, attempt, shaped.rows)
        counts = {
            "records": len(shaped.rows) + shaped.repeated + len(shaped.rejects),
            "new": kept.new,
            "changed": kept.changed,
            "unchanged": kept.unchanged,
            "saved": len(kept.ids),
            "rejected": len(shaped.rejects),
            "repeated": shaped.repeated,
            "unmatched": kept.unmatched,
            "fetch_ms": asked.fetch_ms,
            "save_ms": _ms_since(began),
        }
        await store.add_page(
            conn, attempt, asked.page, kept.ids, shaped.fingerprint, counts, reading, shaped.tally
        )
        if shaped.rejects:
            whose = cases.identities(attempt, asked.page, shaped.rejects)
            await store.add_rejects(conn, attempt, asked.page, shaped.rejects, whose, reading)
            await cases.meet(conn, attempt, asked.page, reading)
        if attempt.kind != "preview":
            await conn.commit()
    if attempt.kind == "preview":
        await previews.stage(conn, attempt, asked.page, shaped.rows, reading)


async def _keep(conn: AsyncConnection, attempt: Attempt, rows: list[tuple[int, Row]]) -> Kept:
    """Saves people."""
    await employees.plan_by_index(conn)
    fence = await store.ask_fence(conn, attempt)
    kept = await employees.keep(
        conn,
        rows,
        run_id=attempt.run_id,
        institution_id=attempt.institution_id,
        identifier_type=attempt.identifier_type,
    )
    await fence()
    return kept


async def _keep_apart(conn: AsyncConnection, attempt: Attempt, rows: list[tuple[int, Row]]) -> Kept:
    """A preview writes nothing but its own; what it would change is worked out when it has ended."""
    await store.check_fence(conn, attempt)
    return Kept([previews.number_of(row.zan_id) for _, row in rows])


KEEP = {"preview": _keep_apart}
"""What becomes of a page's people in runs that do not save them; each of these checks the fence first."""


def _ms_since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
