"""A preview is discarded by a user or emptied by the cleaner, and never while it is applied."""

import pytest

from hrims.config import load
from hrims.db import AsyncPool, Connection
from hrims.errors import Conflict, NotFound, PreviewGone, PreviewOutdated
from hrims.jobs import control
from hrims.jobs import store as jobs
from hrims.jobs.enqueue import requester_of
from hrims.previews import actions, cleaner, store
from tests.database.previews import approve, carry_out, fetch, queue
from tests.database.runs import enqueue_run_of, rows
from tests.support.people import record
from tests.support.users import ASHA


async def test_thrown_away_nothing_of_it_stays_but_its_run(
    conn: Connection, pool: AsyncPool, preview: int
) -> None:
    actions.discard(conn, ASHA, preview)
    cleaner.delete_people(conn, preview)
    assert rows(conn, "SELECT count(*) FROM preview_people") == [(0,)]
    pages = rows(conn, f"SELECT DISTINCT people, fingerprint FROM run_pages WHERE run_id = {preview}")
    assert pages == [([], None)]
    assert rows(conn, f"SELECT state, emptied_why FROM runs WHERE id = {preview}") == [
        ("completed", "thrown_away")
    ]
    assert rows(conn, "SELECT action FROM audit_log ORDER BY id DESC LIMIT 1") == [("preview.throw_away",)]
    with pytest.raises(Conflict, match="discarded"):
        approve(conn, preview)
    with pytest.raises(Conflict, match="discarded"):
        actions.discard(conn, ASHA, preview)


async def test_one_that_is_being_applied_is_not_thrown_away(conn: Connection, preview: int) -> None:
    approve(conn, preview)
    with pytest.raises(Conflict, match="being applied"):
        actions.discard(conn, ASHA, preview)


async def test_one_that_is_under_way_is_neither(conn: Connection, pool: AsyncPool, health: int) -> None:
    run_id = queue(conn, health)
    with pytest.raises(Conflict, match="has not ended"):
        approve(conn, run_id)
    with pytest.raises(Conflict, match="under way"):
        actions.discard(conn, ASHA, run_id)
    assert rows(conn, "SELECT emptied_at FROM runs") == [(None,)]


async def test_a_sync_is_neither(conn: Connection, health: int) -> None:
    run_id = enqueue_run_of(conn, health)
    with pytest.raises(NotFound, match="no preview"):
        approve(conn, run_id)
    with pytest.raises(NotFound, match="no preview"):
        actions.discard(conn, ASHA, run_id)


async def test_one_that_was_thrown_away_is_not_tried_again(
    conn: Connection, pool: AsyncPool, health: int, preview: int
) -> None:
    failed = queue(conn, health)
    control.cancel(conn, ASHA, failed)
    actions.discard(conn, ASHA, failed)
    assert jobs.reopen(conn, failed, requester_of(ASHA)) is False
    run_id = approve(conn, preview).run_id
    control.cancel(conn, ASHA, run_id)
    actions.discard(conn, ASHA, preview)
    with pytest.raises(Conflict, match="check its difference"):
        control.retry(conn, ASHA, run_id)
    with pytest.raises(Conflict, match="can be retried"):
        control.retry(conn, ASHA, run_id, has_seen_difference=True)


async def test_people_that_are_gone_are_never_taken_for_none(
    conn: Connection, pool: AsyncPool, preview: int
) -> None:
    run_id = approve(conn, preview).run_id
    conn.execute("DELETE FROM preview_people WHERE page_number = 1")
    with pytest.raises((PreviewGone, PreviewOutdated)):
        await carry_out(conn, pool, run_id)
    store.save_approved_version(conn, run_id, store.compare(conn, preview).version)
    with pytest.raises(PreviewGone):
        await carry_out(conn, pool, run_id)


async def test_only_expired_previews_are_emptied(
    conn: Connection, pool: AsyncPool, health: int, preview: int
) -> None:
    second = await fetch(conn, pool, health, [record(n) for n in range(3)])
    assert await cleaner.delete_expired_previews(pool, load({})) == 0
    conn.execute("UPDATE runs SET finished_at = now() - interval '8 days' WHERE id = %s", (preview,))
    assert await cleaner.delete_expired_previews(pool, load({})) == 25
    assert rows(conn, "SELECT DISTINCT run_id FROM preview_people") == [(second,)]
    assert rows(conn, f"SELECT emptied_why FROM runs WHERE id = {preview}") == [("too_old",)]
    assert rows(conn, "SELECT count(*) FROM employees") == [(5,)]


async def test_an_old_one_that_is_being_applied_is_left(
    conn: Connection, pool: AsyncPool, preview: int
) -> None:
    run_id = approve(conn, preview).run_id
    conn.execute("UPDATE runs SET finished_at = now() - interval '8 days' WHERE id = %s", (preview,))
    assert await cleaner.delete_expired_previews(pool, load({})) == 0
    await carry_out(conn, pool, run_id)
    assert await cleaner.delete_expired_previews(pool, load({})) == 25
    run = "SELECT state, outcome, people FROM runs JOIN run_progress ON run_id = id WHERE kind = 'apply'"
    assert rows(conn, run) == [("completed", "complete", 25)]
