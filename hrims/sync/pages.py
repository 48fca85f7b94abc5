"""Pages of a run: a number comes in; the page is asked for until it is answered, then its people,
history, listings, rejects, counters, progress and checkpoint are saved in one transaction.
"""

import asyncio
import itertools
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

import psycopg

from hrims.config import Settings
from hrims.db import AsyncConnection, AsyncPool, patiently
from hrims.employees import store as employees
from hrims.employees import workplaces
from hrims.employees.mapping import Reject, Row, to_row
from hrims.employees.store import Placed
from hrims.errors import RemoteError
from hrims.jobs.store import Attempt
from hrims.remote.client import Remote
from hrims.remote.pace import pause
from hrims.remote.wire import Page
from hrims.sync import store

log = logging.getLogger(__name__)


@dataclass
class Checkpoint:
    """Which pages of a run are saved, and the remote's latest total; None before the first page."""

    page_size: int
    saved: set[int]
    total: int | None

    def next_page(self) -> int | None:
        """The first page that is not saved, None when the total says that there is none."""
        number = next(n for n in itertools.count() if n not in self.saved)
        if self.total is not None and number * self.page_size >= self.total:
            return None
        return number

    def add(self, number: int, total: int) -> None:
        """Notes a page as saved, with the total that the remote gave beside it."""
        self.saved.add(number)
        self.total = total


class Asked(NamedTuple):
    """A page as the remote sent it and how long that took, in milliseconds, failures included."""

    page: Page
    fetch_ms: int


async def read_checkpoint(pool: AsyncPool, attempt: Attempt) -> Checkpoint:
    """The pages of this run that are saved."""

    async def read() -> Checkpoint:
        async with pool.connection() as conn:
            saved, total = await store.saved_pages(conn, attempt)
            return Checkpoint(attempt.page_size, saved, total)

    return await patiently(read)


async def ask(remote: Remote, attempt: Attempt, number: int, pool: AsyncPool, settings: Settings) -> Asked:
    """Asks for a page until it is answered, at most ``settings.page_tries`` times.

    Raises the RemoteError of the last try, at once when asking again cannot help.
    """
    began = time.monotonic()
    for tries in itertools.count(1):
        try:
            page = await remote.page(attempt.identifier_type, attempt.identifier, number, attempt.page_size)
        except RemoteError as trouble:
            if not trouble.again or tries >= settings.page_tries:
                raise
            log.info("run %s page %s failed (%s)", attempt.run_id, number, trouble.code)
            words = f"Page {number + 1}: {trouble} Asking again ({tries} of {settings.page_tries - 1})."
            await _note(pool, attempt, words)
            await asyncio.sleep(
                pause(tries, settings.page_pause, trouble.retry_after, Random())  # noqa: S311 - jitter
            )
        else:
            return Asked(page, _ms_since(began))
    raise AssertionError("unreachable")


async def _note(pool: AsyncPool, attempt: Attempt, words: str) -> None:
    async def write() -> None:
        async with pool.connection() as conn:
            await store.check_fence(conn, attempt)
            await store.note(conn, attempt, words)

    await patiently(write)


async def save(attempt: Attempt, asked: Asked, pool: AsyncPool) -> None:
    """Saves a page in one transaction, once: a page whose commit got lost is found saved."""
    shaped = shape(asked.page)

    async def write() -> None:
        async with pool.connection() as conn:
            try:
                await _save_in(conn, attempt, asked, shaped)
            except psycopg.errors.UniqueViolation as clash:
                if clash.diag.constraint_name != "run_pages_pkey":
                    raise
                log.info("run %s page %s was saved already", attempt.run_id, asked.page.number)

    await patiently(write)


class Shaped(NamedTuple):
    """A page's rows by position, each ZanID once, how many repeated one, and the rejects."""

    rows: list[tuple[int, Row]]
    repeated: int
    rejects: list[tuple[int, Reject]]


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
    return Shaped(list(rows.values()), repeated, rejects)


async def _save_in(conn: AsyncConnection, attempt: Attempt, asked: Asked, shaped: Shaped) -> None:
    began = time.monotonic()
    await employees.plan_by_index(conn)
    await store.check_fence(conn, attempt)
    people = await _place(conn, shaped.rows)
    kept = await employees.keep(
        conn,
        people,
        run_id=attempt.run_id,
        institution_id=attempt.institution_id,
        identifier_type=attempt.identifier_type,
    )
    unmatched = sum(one.institution_id is None for one in people)
    counts = {
        "new": kept.new,
        "changed": kept.changed,
        "unchanged": kept.unchanged,
        "saved": len(kept.ids),
        "rejected": len(shaped.rejects),
        "repeated": shaped.repeated,
        "unmatched": unmatched,
        "fetch_ms": asked.fetch_ms,
        "save_ms": _ms_since(began),
    }
    await store.add_page(conn, attempt, asked.page, kept.ids, counts)
    await store.add_rejects(conn, attempt, asked.page, shaped.rejects)


async def _place(conn: AsyncConnection, rows: Sequence[tuple[int, Row]]) -> list[Placed]:
    names = {row.current_workplace for _, row in rows if row.current_workplace}
    known = await workplaces.meet(conn, names)
    placed = []
    for position, row in rows:
        found = known[row.current_workplace] if row.current_workplace else None
        placed.append(Placed(position, found and found.id, found and found.institution_id, row))
    return placed


def _ms_since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
