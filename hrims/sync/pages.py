"""Pages of a run: a page is asked for once and judged; its people, history, listings, rejects,
counters, progress and checkpoint are saved in one transaction.
"""

import hashlib
import logging
import time
from operator import itemgetter
from typing import NamedTuple

import psycopg

from hrims.db import AsyncConnection, AsyncPool
from hrims.drift.tally import Tally, tally
from hrims.employees import store as employees
from hrims.employees.digest import record_digest
from hrims.employees.mapping import Reject, Row, to_row
from hrims.employees.rejects import breaks_hrims
from hrims.employees.store import Kept
from hrims.errors import RemoteShort
from hrims.jobs.attempts.store import Attempt
from hrims.previews import store as previews
from hrims.rejects import cases
from hrims.rejects import store as rejects
from hrims.remote.client import Remote
from hrims.remote.wire import Page
from hrims.steady import patiently, to_its_end
from hrims.sync import store
from hrims.sync.spans import Span

log = logging.getLogger(__name__)


class Shaped(NamedTuple):
    """The records of a page by position.

    ``rows`` holds each ZanID once, ``repeats`` the later records of a ZanID that the page holds already;
    ``fingerprint`` is a digest of the ZanIDs, None for fewer than two; ``tally`` counts filled fields.
    """

    rows: list[tuple[int, Row]]
    repeats: list[tuple[int, Row]]
    rejects: list[tuple[int, Reject]]
    fingerprint: bytes | None
    tally: Tally | None = None

    @property
    def records(self) -> int:
        """Number of records on the page."""
        return len(self.rows) + len(self.repeats) + len(self.rejects)


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
        raise RemoteShort(f"HRIMS sent {had} records where it counts {there}.", had=had, total=page.total)
    return Asked(page, _ms_since(began), shape(page))


def shape(page: Page) -> Shaped:
    """Sort the records of a page into rows, repeats and rejects; positions count from 0."""
    records: list[tuple[int, Row]] = []
    rejects: list[tuple[int, Reject]] = []
    for position, record in enumerate(page.records):
        shaped = to_row(record)
        if isinstance(shaped, Reject):
            rejects.append((position, shaped))
        else:
            records.append((position, shaped))
    rows, repeats = split_repeats(records)
    counts = tally(page, [row for _, row in records])
    return Shaped(rows, repeats, rejects, _fingerprint([row.zan_id for _, row in rows]), counts)


def split_repeats(
    records: list[tuple[int, Row]],
) -> tuple[list[tuple[int, Row]], list[tuple[int, Row]]]:
    """Split records into the first of each ZanID and the rest, both in their order."""
    first: dict[str, tuple[int, Row]] = {}
    repeats = [one for one in records if first.setdefault(one[1].zan_id, one) is not one]
    return list(first.values()), repeats


def _fingerprint(zan_ids: list[str]) -> bytes | None:
    if len(zan_ids) < 2:
        # One person may well be met alone twice: that is counted, and is no page sent twice.
        return None
    return hashlib.blake2b(" ".join(zan_ids).encode(), digest_size=16).digest()


async def save(attempt: Attempt, asked: Asked, pool: AsyncPool, *, reading: int) -> list[int]:
    """Save a page in one transaction, once: a page whose commit got lost is found saved.

    A page that was empty when the list was shorter is replaced. Return the people of the page as
    ``run_pages`` names them; none if it was saved before.
    """

    async def write() -> list[int] | None:
        async with pool.connection() as conn:
            try:
                return await to_its_end(_save_in(conn, attempt, asked, reading))
            except psycopg.errors.UniqueViolation as clash:
                if clash.diag.constraint_name != "run_pages_pkey":
                    raise
                return None

    async def delete_empty() -> bool:
        async with pool.connection() as conn:
            await store.check_fence(conn, attempt)
            return await store.delete_empty_page(conn, attempt, asked.page, reading)

    people = await patiently(write)
    if people is None and asked.shaped.records and await patiently(delete_empty):
        people = await patiently(write)
    if people is None:
        log.info("run %s page %s was saved already", attempt.run_id, asked.page.number)
    return people or []


async def save_broken(attempt: Attempt, span: Span, total: int, pool: AsyncPool, *, reading: int) -> None:
    """Saves a single record that breaks every page it is on, as what it is: a reject with its place."""
    page = Page(span.number, span.size, total, [])
    shaped = Shaped([], [], [(0, breaks_hrims())], None)
    await save(attempt, Asked(page, 0, shaped), pool, reading=reading)


async def note(attempt: Attempt, words: str, pool: AsyncPool, unsaved_total: int = 0) -> None:
    """Tell what the attempt is doing, and how many records an answer spoke of that was not saved."""

    async def write() -> None:
        async with pool.connection() as conn:
            await store.check_fence(conn, attempt)
            await store.note(conn, attempt, words, unsaved_total)

    await patiently(write)


async def _save_in(conn: AsyncConnection, attempt: Attempt, asked: Asked, reading: int) -> list[int]:
    began = time.monotonic()
    records = asked.shaped.rows + asked.shaped.repeats
    shaped = _without(asked.shaped, await cases.find_known_shared(conn, attempt, records))
    # What needs no answer travels with what does: most of a page's time would be trips to Postgres.
    async with conn.pipeline():
        kept = await KEEP.get(attempt.kind, _keep)(conn, attempt, shaped)
        people, digests = _met(shaped, kept.ids)
        counts = {
            "records": shaped.records,
            "new": kept.new,
            "changed": kept.changed,
            "unchanged": kept.unchanged,
            "saved": len(kept.ids),
            "rejected": len(shaped.rejects),
            "repeated": len(shaped.repeats),
            "unmatched": kept.unmatched,
            "fetch_ms": asked.fetch_ms,
            "save_ms": _ms_since(began),
        }
        await store.add_page(
            conn, attempt, asked.page, people, digests, shaped.fingerprint, counts, reading, shaped.tally
        )
        if shaped.rejects:
            whose = cases.identities(attempt, asked.page, shaped.rejects)
            where = (attempt.run_id, reading, asked.page.size, asked.page.number)
            await rejects.add(conn, where, shaped.rejects, whose)
            await cases.meet(conn, attempt, asked.page, reading)
        if attempt.kind != "preview":
            await conn.commit()
    if attempt.kind == "preview":
        await previews.stage(conn, attempt, asked.page, shaped.rows + shaped.repeats, reading)
    return people


def _without(shaped: Shaped, rejects: list[tuple[int, Reject]]) -> Shaped:
    """Return the page with these records as rejects instead of rows."""
    if not rejects:
        return shaped
    positions = {position for position, _ in rejects}
    records = sorted(shaped.rows + shaped.repeats, key=itemgetter(0))
    rows, repeats = split_repeats([one for one in records if one[0] not in positions])
    return shaped._replace(rows=rows, repeats=repeats, rejects=sorted([*shaped.rejects, *rejects]))


async def _keep(conn: AsyncConnection, attempt: Attempt, shaped: Shaped) -> Kept:
    """Save people. Records that differ from the first of their ZanID are saved before it, so that the
    history of this run holds them all until ``repeats`` has decided between them, at the end of the pass.
    """
    await employees.plan_by_index(conn)
    fence = await store.ask_fence(conn, attempt)
    later, rest = [], _differing(shaped)
    while rest:
        rows, rest = split_repeats(rest)
        later.append(rows)
    earlier = [await _keep_rows(conn, attempt, rows) for rows in reversed(later)]
    kept = await _keep_rows(conn, attempt, shaped.rows)
    await fence()
    return kept._replace(new=kept.new + sum(one.new for one in earlier))


async def _keep_rows(conn: AsyncConnection, attempt: Attempt, rows: list[tuple[int, Row]]) -> Kept:
    return await employees.keep(
        conn,
        rows,
        run_id=attempt.run_id,
        institution_id=attempt.institution_id,
        identifier_type=attempt.identifier_type,
    )


def _differing(shaped: Shaped) -> list[tuple[int, Row]]:
    """Return the repeats that are not copies of the first record with their ZanID."""
    first = {row.zan_id: row for _, row in shaped.rows} if shaped.repeats else {}
    return [(position, row) for position, row in shaped.repeats if row != first[row.zan_id]]


def _met(shaped: Shaped, ids: list[int]) -> tuple[list[int], list[int]]:
    """Return the id and the digest of every record that is no reject, in page order."""
    by_zan_id = {row.zan_id: id_ for (_, row), id_ in zip(shaped.rows, ids, strict=True)}
    records = sorted(shaped.rows + shaped.repeats, key=itemgetter(0)) if shaped.repeats else shaped.rows
    return [by_zan_id[row.zan_id] for _, row in records], [record_digest(row) for _, row in records]


async def _keep_apart(conn: AsyncConnection, attempt: Attempt, shaped: Shaped) -> Kept:
    """A preview writes nothing but its own; what it would change is worked out when it has ended."""
    await store.check_fence(conn, attempt)
    return Kept([previews.number_of(row.zan_id) for _, row in shaped.rows])


KEEP = {"preview": _keep_apart}
"""What becomes of a page's people in runs that do not save them; each of these checks the fence first."""


def _ms_since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
