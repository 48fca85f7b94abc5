"""A preview is applied once, as it was looked at, or thrown away; never both, and nothing in between."""

import asyncio
import threading
from typing import Any

import psycopg
import pytest

from hrims.config import load
from hrims.db import AsyncPool, Connection
from hrims.errors import Conflict, PreviewGone, PreviewOutdated, StaleAttempt
from hrims.jobs import control
from hrims.jobs.attempts.attempt import ShutdownRequested
from hrims.previews import actions, store
from hrims.sync import apply
from hrims.sync.context import SyncContext
from tests.database.previews import approve, carry_out, end, fetch, queue, save_all, wanted
from tests.database.runs import begin, enqueue_run_of, rows
from tests.support.people import record
from tests.support.users import ASHA


def application(conn: Connection) -> tuple[Any, ...]:
    """Return (state, outcome, people, new, changed, unchanged) of the run that applies."""
    found = rows(
        conn,
        "SELECT state, outcome, people, new, changed, unchanged FROM runs JOIN run_progress ON run_id = id"
        " WHERE kind = 'apply'",
    )
    assert len(found) == 1
    made: tuple[Any, ...] = found[0]
    return made


async def test_it_works(conn: Connection, pool: AsyncPool, preview: int) -> None:
    applied = approve(conn, preview).run_id
    await carry_out(conn, pool, applied)
    assert application(conn) == ("completed", "complete", 25, 20, 5, 0)
    assert rows(conn, "SELECT count(*) FROM employees WHERE name LIKE '%Ali'") == [(25,)]
    assert rows(conn, "SELECT DISTINCT run_id FROM employee_changes") == [(applied,)]
    assert rows(conn, f"SELECT emptied_why FROM runs WHERE id = {preview}") == [("applied",)]
    audit = rows(conn, "SELECT actor, action, subject, run_id FROM audit_log WHERE action = 'preview.apply'")
    assert audit == [("asha", "preview.apply", f"run:{preview}", applied)]
    assert store.compare(conn, preview)[:3] == (0, 0, 25)


async def test_an_incomplete_preview_may_be_applied_and_the_run_ends_so(
    conn: Connection, pool: AsyncPool, health: int
) -> None:
    attempt = await begin(conn, pool, queue(conn, health))
    await save_all(attempt, pool, [record(1), record(2), record(1)])
    await end(attempt, pool, 7)
    await carry_out(conn, pool, approve(conn, attempt.run_id).run_id)
    columns = "outcome, people, missing, seen_twice, trouble, counted"
    ends = rows(conn, f"SELECT {columns} FROM runs ORDER BY id")
    assert ends[0] == ends[1]
    assert ends[0][:3] == ("incomplete", 2, 5)


async def test_two_who_apply_at_once_get_one_run(
    conn: Connection, dsn: str, pool: AsyncPool, preview: int
) -> None:
    version = store.compare(conn, preview).version
    what = wanted(conn, preview)
    together = threading.Barrier(4)

    def press() -> tuple[int, bool]:
        with psycopg.connect(dsn) as own_conn:
            together.wait()
            requested = actions.apply(own_conn, ASHA, what, version)
        return requested.run_id, requested.deduplicated

    results = await asyncio.gather(*(asyncio.to_thread(press) for _ in range(4)))
    assert len({run_id for run_id, _ in results}) == 1
    assert sorted(again for _, again in results) == [False, True, True, True]
    assert len(rows(conn, "SELECT FROM runs WHERE kind = 'apply'")) == 1


async def test_of_apply_and_sync_at_once_one_gets_the_institution(
    conn: Connection, dsn: str, preview: int, health: int
) -> None:
    version = store.compare(conn, preview).version
    what = wanted(conn, preview)
    together = threading.Barrier(6)

    def press(number: int) -> int | None:
        with psycopg.connect(dsn) as own_conn:
            together.wait()
            try:
                if number % 2:
                    return actions.apply(own_conn, ASHA, what, version).run_id
                return enqueue_run_of(own_conn, health)
            except Conflict:
                return None

    results = await asyncio.gather(*(asyncio.to_thread(press, number) for number in range(6)))
    assert len({run_id for run_id in results if run_id}) == 1
    assert rows(conn, "SELECT count(*) FROM runs WHERE finished_at IS NULL") == [(1,)]


async def test_of_apply_and_throw_away_at_once_one_is_done(
    conn: Connection, dsn: str, pool: AsyncPool, preview: int
) -> None:
    version = store.compare(conn, preview).version
    what = wanted(conn, preview)
    together = threading.Barrier(2)

    def apply_it() -> bool:
        with psycopg.connect(dsn) as own_conn:
            together.wait()
            try:
                actions.apply(own_conn, ASHA, what, version)
            except Conflict:
                return False
        return True

    def throw_it_away() -> bool:
        with psycopg.connect(dsn) as own_conn:
            together.wait()
            try:
                actions.discard(own_conn, ASHA, preview)
            except Conflict:
                return False
        return True

    applied, thrown = await asyncio.gather(asyncio.to_thread(apply_it), asyncio.to_thread(throw_it_away))
    assert applied != thrown
    assert len(rows(conn, "SELECT FROM runs WHERE kind = 'apply'")) == int(applied)
    assert rows(conn, f"SELECT emptied_at IS NOT NULL FROM runs WHERE id = {preview}") == [(thrown,)]


async def test_a_preview_is_applied_once(conn: Connection, pool: AsyncPool, preview: int) -> None:
    await carry_out(conn, pool, approve(conn, preview).run_id)
    with pytest.raises(Conflict, match="applied already"):
        approve(conn, preview)
    with pytest.raises(Conflict, match="applied already"):
        actions.discard(conn, ASHA, preview)


@pytest.mark.parametrize("state", ["completed", "failed"])
async def test_the_database_knows_that_too(
    conn: Connection, pool: AsyncPool, preview: int, health: int, state: str
) -> None:
    insert = """
        INSERT INTO runs (kind, of_run_id, institution_id, identifier_type, identifier, page_size,
                          requested_by, requested_via, state, finished_at)
        VALUES ('apply', %s, %s, 'votecode', '001', 10, 'asha', 'system', 'failed', now())
    """
    if state == "completed":
        await carry_out(conn, pool, approve(conn, preview).run_id)
        with pytest.raises(psycopg.errors.CheckViolation):
            conn.execute(insert, (preview, health))
    else:
        conn.execute(insert, (preview, health))
        with pytest.raises(psycopg.errors.UniqueViolation, match="runs_applied_once"):
            conn.execute(insert, (preview, health))


@pytest.mark.parametrize("kind", ["sync", "preview"])
async def test_it_waits_for_no_other_run_of_the_institution(
    conn: Connection, preview: int, health: int, kind: str
) -> None:
    queue(conn, health, kind)
    with pytest.raises(Conflict, match="another run under way"):
        approve(conn, preview)
    assert rows(conn, "SELECT FROM runs WHERE kind = 'apply'") == []


async def test_another_preview_that_is_being_applied_stays_as_it_was_approved(
    conn: Connection, pool: AsyncPool, preview: int, health: int
) -> None:
    other = await fetch(conn, pool, health, [record(n) for n in range(3)])
    applying = approve(conn, preview).run_id
    before = rows(conn, f"SELECT version FROM runs WHERE id = {applying}")
    with pytest.raises(Conflict, match="another run under way"):
        approve(conn, other)
    assert rows(conn, f"SELECT version FROM runs WHERE id = {applying}") == before


async def test_a_preview_from_before_a_later_run_proves_no_absence(
    conn: Connection, pool: AsyncPool, health: int
) -> None:
    """Fetch a preview, sync a new person and a record that is rejected, then apply the preview."""
    preview = await fetch(conn, pool, health, [record(n) for n in range(3)])
    bad = record(4, firstName="x" * 501)
    await fetch(conn, pool, health, [*(record(n) for n in range(4)), bad], "sync")
    assert rows(conn, "SELECT closed_at FROM reject_cases") == [(None,)]
    await carry_out(conn, pool, approve(conn, preview).run_id)
    assert rows(conn, "SELECT count(*) FROM listings WHERE missed_runs > 0") == [(0,)]
    assert rows(conn, "SELECT closed_at FROM reject_cases") == [(None,)]


async def test_a_sync_does_not_begin_while_it_is_applied(conn: Connection, preview: int, health: int) -> None:
    approve(conn, preview)
    with pytest.raises(Conflict, match="another run under way"):
        enqueue_run_of(conn, health)


async def test_another_difference_than_the_one_looked_at_is_not_applied(
    conn: Connection, preview: int
) -> None:
    version = store.compare(conn, preview).version
    conn.execute("UPDATE employees SET status = 'Retired' WHERE zan_id = '580330001'")
    with pytest.raises(Conflict, match="have changed since"):
        actions.apply(conn, ASHA, wanted(conn, preview), version)
    assert rows(conn, "SELECT FROM runs WHERE kind = 'apply'") == []
    assert rows(conn, "SELECT FROM audit_log WHERE action = 'preview.apply'") == []
    actions.apply(conn, ASHA, wanted(conn, preview), store.compare(conn, preview).version)


async def test_what_changes_between_approval_and_first_page_stops_it(
    conn: Connection, pool: AsyncPool, preview: int
) -> None:
    run_id = approve(conn, preview).run_id
    conn.execute("UPDATE employees SET status = 'Retired' WHERE zan_id = '580330001'")
    with pytest.raises(PreviewOutdated, match="nothing was applied"):
        await carry_out(conn, pool, run_id)
    assert rows(conn, "SELECT count(*) FROM employees WHERE name LIKE '%Ali'") == [(0,)]
    await _give_up(conn, pool, run_id)
    assert approve(conn, preview).run_id == run_id
    await carry_out(conn, pool, run_id)
    assert application(conn) == ("completed", "complete", 25, 20, 5, 0)


async def _give_up(conn: Connection, pool: AsyncPool, run_id: int) -> None:
    """Fail the running attempt without a retry."""
    conn.execute("UPDATE runs SET state = 'failed', finished_at = now() WHERE id = %s", (run_id,))
    conn.execute("UPDATE procrastinate_jobs SET status = 'failed'")


async def test_one_that_stopped_in_the_middle_goes_on(
    conn: Connection, pool: AsyncPool, preview: int
) -> None:
    run_id = approve(conn, preview).run_id
    attempt = await begin(conn, pool, run_id)
    looks = iter([False, True])
    with pytest.raises(ShutdownRequested):
        await apply.apply(SyncContext(attempt, None, pool, load({}), lambda: next(looks)))  # type: ignore[arg-type] # it makes no request
    assert rows(conn, f"SELECT page_number FROM run_pages WHERE run_id = {run_id}") == [(0,)]
    control.cancel(conn, ASHA, run_id)
    assert approve(conn, preview).run_id == run_id
    await carry_out(conn, pool, run_id)
    assert application(conn) == ("completed", "complete", 25, 20, 5, 0)
    pages = rows(conn, f"SELECT page_number, attempt FROM run_pages WHERE run_id = {run_id} ORDER BY 1")
    assert pages == [(0, 1), (1, 2), (2, 2)]


async def test_an_attempt_that_was_overtaken_applies_nothing_more(
    conn: Connection, pool: AsyncPool, preview: int
) -> None:
    run_id = approve(conn, preview).run_id
    zombie = await begin(conn, pool, run_id)
    await carry_out(conn, pool, run_id)
    before = rows(conn, "SELECT * FROM employees ORDER BY id")
    with pytest.raises((PreviewGone, StaleAttempt)):
        await apply.apply(SyncContext(zombie, None, pool, load({}), lambda: False))  # type: ignore[arg-type] # it makes no request
    assert rows(conn, "SELECT * FROM employees ORDER BY id") == before
