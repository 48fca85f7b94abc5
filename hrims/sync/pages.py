"""Pages of a run. Input: a span. Output: the page, fetched, mapped and saved.

Its people, history, listings, rejects, counters, progress and checkpoint are saved in one transaction.
"""

import hashlib
import time
from operator import itemgetter
from typing import NamedTuple

import psycopg

from hrims import metrics, tracing
from hrims.db import AsyncConnection, AsyncPool
from hrims.drift.tally import Tally, tally
from hrims.employees import store as employees
from hrims.employees.digest import compute_digest
from hrims.employees.fields import Row
from hrims.employees.mapping import map_record
from hrims.employees.rejects import Reject, reject_unfetchable
from hrims.employees.store import SaveResult
from hrims.errors import RemoteShort
from hrims.jobs.attempts.store import Attempt
from hrims.log import get_logger
from hrims.previews import store as previews
from hrims.rejects import cases
from hrims.rejects import store as rejects
from hrims.remote.client import Remote
from hrims.remote.wire import Page
from hrims.resilience import retry_on_disconnect, shield_until_done
from hrims.sync import store
from hrims.sync.progress import Progress
from hrims.sync.spans import Span
from hrims.sync.story import log_page

log = get_logger(__name__)


class MappedPage(NamedTuple):
    """The records of a page by position.

    ``rows`` holds each ZanID once. ``repeats`` holds the later records of a ZanID that the page holds
    already. ``fingerprint`` is a digest of the ZanIDs, None for fewer than two. ``tally`` counts filled
    fields.
    """

    rows: list[tuple[int, Row]]
    repeats: list[tuple[int, Row]]
    rejects: list[tuple[int, Reject]]
    fingerprint: bytes | None
    tally: Tally | None = None

    @property
    def records(self) -> int:
        """The number of records on the page."""
        return len(self.rows) + len(self.repeats) + len(self.rejects)


class SavedPage(NamedTuple):
    """A saved page: its people by their ids in ``run_pages``, counts, codes of rejects, run progress."""

    people: list[int]
    counts: dict[str, int]
    reject_codes: list[str]
    progress: Progress


class FetchedPage(NamedTuple):
    """A page as HRIMS sent it, the time of the fetch in milliseconds, and its mapped records."""

    page: Page
    fetch_ms: int
    mapped: MappedPage


async def fetch(remote: Remote, attempt: Attempt, span: Span) -> FetchedPage:
    """Request a page once.

    Raises RemoteError; RemoteShort if the page holds fewer records than its total implies.
    """
    began = time.monotonic()
    page = await remote.page(attempt.identifier_type, attempt.identifier, span.number, span.size)
    refuse_short_page(page)
    return FetchedPage(page, _ms_since(began), map_page(page))


def refuse_short_page(page: Page) -> None:
    """Raise RemoteShort if a page holds fewer records than its total implies."""
    had, expected = len(page.records), max(0, min(page.size, page.total - page.start))
    if had < expected:
        raise RemoteShort(f"HRIMS sent {had} records where it counts {expected}.", had=had, total=page.total)


def map_page(page: Page) -> MappedPage:
    """Sort the records of a page into rows, repeats and rejects; positions count from 0."""
    records: list[tuple[int, Row]] = []
    rejects: list[tuple[int, Reject]] = []
    for position, record in enumerate(page.records):
        mapped = map_record(record)
        if isinstance(mapped, Reject):
            rejects.append((position, mapped))
        else:
            records.append((position, mapped))
    rows, repeats = split_repeats(records)
    counts = tally(page, [row for _, row in records])
    return MappedPage(rows, repeats, rejects, _fingerprint([row.zan_id for _, row in rows]), counts)


def split_repeats(
    records: list[tuple[int, Row]],
) -> tuple[list[tuple[int, Row]], list[tuple[int, Row]]]:
    """Split records into the first of each ZanID and the rest, both in their order."""
    first: dict[str, tuple[int, Row]] = {}
    repeats = [record for record in records if first.setdefault(record[1].zan_id, record) is not record]
    return list(first.values()), repeats


def _fingerprint(zan_ids: list[str]) -> bytes | None:
    if len(zan_ids) < 2:
        # The same person alone on two pages is a repeat, and not a page that was sent twice.
        return None
    return hashlib.blake2b(" ".join(zan_ids).encode(), digest_size=16).digest()


async def save(attempt: Attempt, fetched: FetchedPage, pool: AsyncPool, *, reading: int) -> list[int]:
    """Save a page in one transaction. If the response to a COMMIT got lost, the page is found saved.

    Replace a page that was empty when the list was shorter. Return the people of the page by their ids in
    ``run_pages``; none if it was saved before.
    """

    async def write() -> SavedPage | None:
        async with pool.connection() as conn:
            try:
                return await shield_until_done(_save_in(conn, attempt, fetched, reading))
            except psycopg.errors.UniqueViolation as clash:
                if clash.diag.constraint_name != "run_pages_pkey":
                    raise
                return None

    async def delete_empty() -> bool:
        async with pool.connection() as conn:
            await store.check_attempt(conn, attempt)
            return await store.delete_empty_page(conn, attempt, fetched.page, reading)

    began = time.monotonic()
    page, records = fetched.page.number, fetched.mapped.records
    with tracing.span("save page", page=page, records=records):
        saved = await retry_on_disconnect(write)
        if saved is None and records and await retry_on_disconnect(delete_empty):
            saved = await retry_on_disconnect(write)
    if saved is None:
        log.info("page_already_saved", page=page)
        return []
    log_page(fetched.page, records, len(saved.people), fetched.fetch_ms, _ms_since(began), saved.progress)
    metrics.count_page(saved.counts, saved.reject_codes)
    return saved.people


async def save_broken(attempt: Attempt, span: Span, total: int, pool: AsyncPool, *, reading: int) -> None:
    """Save a single record that breaks every page it is on, as a reject with its position."""
    page = Page(span.number, span.size, total, [])
    mapped = MappedPage([], [], [(0, reject_unfetchable())], None)
    await save(attempt, FetchedPage(page, 0, mapped), pool, reading=reading)


async def note(attempt: Attempt, message: str, pool: AsyncPool, unsaved_total: int = 0) -> None:
    """Save what the attempt is doing, and how many records an unsaved response mentioned."""

    async def write() -> None:
        async with pool.connection() as conn:
            await store.check_attempt(conn, attempt)
            await store.note(conn, attempt, message, unsaved_total)

    await retry_on_disconnect(write)


async def _save_in(conn: AsyncConnection, attempt: Attempt, fetched: FetchedPage, reading: int) -> SavedPage:
    began = time.monotonic()
    records = fetched.mapped.rows + fetched.mapped.repeats
    mapped = _without(fetched.mapped, await cases.find_known_shared(conn, attempt, records))
    # Pipeline the statements: otherwise round trips to Postgres take most of a page's time.
    async with conn.pipeline():
        result = await SAVE_BY_KIND.get(attempt.kind, _save_people)(conn, attempt, mapped)
        people, digests = _met(mapped, result.ids)
        counts = {
            "records": mapped.records,
            "new": result.new,
            "changed": result.changed,
            "unchanged": result.unchanged,
            "saved": len(result.ids),
            "rejected": len(mapped.rejects),
            "repeated": len(mapped.repeats),
            "unmatched": result.unmatched,
            "fetch_ms": fetched.fetch_ms,
            "save_ms": _ms_since(began),
        }
        read_progress = await store.add_page(
            conn, attempt, fetched.page, people, digests, mapped.fingerprint, counts, reading, mapped.tally
        )
        if mapped.rejects:
            people_of_rejects = cases.identities(attempt, fetched.page, mapped.rejects)
            where = (attempt.run_id, reading, fetched.page.size, fetched.page.number)
            await rejects.insert_rejects(conn, where, mapped.rejects, people_of_rejects)
            await cases.open_cases(conn, attempt, fetched.page, reading)
        if attempt.kind != "preview":
            await conn.commit()
    if attempt.kind == "preview":
        await previews.stage_people(conn, attempt, fetched.page, mapped.rows + mapped.repeats, reading)
    return SavedPage(people, counts, [reject.code for _, reject in mapped.rejects], await read_progress())


def _without(mapped: MappedPage, rejects: list[tuple[int, Reject]]) -> MappedPage:
    """Return the page with these records as rejects instead of rows."""
    if not rejects:
        return mapped
    positions = {position for position, _ in rejects}
    records = sorted(mapped.rows + mapped.repeats, key=itemgetter(0))
    rows, repeats = split_repeats([record for record in records if record[0] not in positions])
    return mapped._replace(rows=rows, repeats=repeats, rejects=sorted([*mapped.rejects, *rejects]))


async def _save_people(conn: AsyncConnection, attempt: Attempt, mapped: MappedPage) -> SaveResult:
    """Save people.

    Records that differ from the first of their ZanID are saved before it, so that the history of this run
    holds them all. At the end of the pass, ``repeats`` decides between them.
    """
    await employees.plan_by_index(conn)
    fence = await store.pipeline_attempt_check(conn, attempt)
    later, rest = [], _differing(mapped)
    while rest:
        rows, rest = split_repeats(rest)
        later.append(rows)
    earlier = [await _save_rows(conn, attempt, rows) for rows in reversed(later)]
    result = await _save_rows(conn, attempt, mapped.rows)
    await fence()
    return result._replace(new=result.new + sum(saved.new for saved in earlier))


async def _save_rows(conn: AsyncConnection, attempt: Attempt, rows: list[tuple[int, Row]]) -> SaveResult:
    return await employees.save_rows(
        conn,
        rows,
        run_id=attempt.run_id,
        institution_id=attempt.institution_id,
        identifier_type=attempt.identifier_type,
    )


def _differing(mapped: MappedPage) -> list[tuple[int, Row]]:
    """Return the repeats that are not copies of the first record with their ZanID."""
    first = {row.zan_id: row for _, row in mapped.rows} if mapped.repeats else {}
    return [(position, row) for position, row in mapped.repeats if row != first[row.zan_id]]


def _met(mapped: MappedPage, ids: list[int]) -> tuple[list[int], list[int]]:
    """Return the id and the digest of every record that is not a reject, in page order."""
    by_zan_id = {row.zan_id: id_ for (_, row), id_ in zip(mapped.rows, ids, strict=True)}
    records = sorted(mapped.rows + mapped.repeats, key=itemgetter(0)) if mapped.repeats else mapped.rows
    return [by_zan_id[row.zan_id] for _, row in records], [compute_digest(row) for _, row in records]


async def _stage_rows(conn: AsyncConnection, attempt: Attempt, mapped: MappedPage) -> SaveResult:
    """Check the attempt, and return a number for each person.

    A preview writes only to its own tables. What it would change is computed when it has ended.
    """
    await store.check_attempt(conn, attempt)
    return SaveResult([previews.checkpoint_number(row.zan_id) for _, row in mapped.rows])


SAVE_BY_KIND = {"preview": _stage_rows}
"""The function that handles a page's people, for kinds of runs that do not save them. Each checks the attempt
first.
"""


def _ms_since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
