"""Records that share a ZanID and were met by several readings of one run: the owner stays the same, and
of the owner the latest reading counts.
"""

from typing import Any

import pytest

from hrims.db import AsyncPool, Connection
from hrims.jobs.attempts.store import Attempt
from hrims.sync.repeats.resolve import reject_known, resolve
from hrims.sync.store import EDGES, FIRST, SECOND
from tests.database.previews import queue
from tests.database.runs import begin, rows
from tests.database.sync_steps import begin_new_run, end, save
from tests.database.test_repeats import ALI, ASHA, Lists
from tests.support.people import page, record

MOVED = record(1, workplace="Wizara ya Maji")


@pytest.fixture
def lists(conn: Connection, pool: AsyncPool) -> Lists:
    """Return one institution without runs."""
    return Lists(conn, pool)


async def edges(lists: Lists, *pages: Any, of: tuple[dict[str, Any], ...]) -> Attempt:
    """Read a list of four, then these pages of the reading of its edges; return the attempt, not ended."""
    attempt = await begin_new_run(lists.conn, lists.pool, lists.institution, page_size=2)
    for number in (0, 1):
        await save(
            lists.pool, attempt, page(list(of[2 * number : 2 * number + 2]), total=4, number=number, size=2)
        )
    await resolve(attempt, lists.pool, [FIRST])
    for one in pages:
        await save(lists.pool, attempt, one, EDGES)
    await resolve(attempt, lists.pool, [FIRST, EDGES])
    return attempt


async def test_a_change_that_the_edges_show_is_kept(conn: Connection, lists: Lists) -> None:
    """One person before Asha left and another joined, so her position is one lower; and she moved."""
    await lists.run(record(2), ASHA, record(3), record(4))
    now = page([MOVED, record(3), record(4)], total=4, number=0, size=3)
    attempt = await edges(lists, now, of=(record(2), ASHA, record(3), record(4)))
    assert rows(conn, "SELECT current_workplace FROM employees ORDER BY zan_id LIMIT 1") == [
        ("Wizara ya Maji",)
    ]
    assert rows(conn, "SELECT run_id FROM employee_changes") == [(attempt.run_id,)]


async def test_a_name_that_was_corrected_between_two_readings_is_saved_by_the_next_run(
    conn: Connection, lists: Lists
) -> None:
    """Within a run, a correction looks like a second person. A reject says that it waits."""
    await lists.run(record(2), ASHA, record(3), record(4))
    corrected = record(1, lastName="Juma")
    now = page([corrected, record(3), record(4)], total=4, number=0, size=3)
    attempt = await edges(lists, now, of=(record(2), ASHA, record(3), record(4)))
    assert await end(lists.pool, attempt, 4, (FIRST, EDGES)) == "complete_after_repair"
    assert lists.names()[0] == "Asha Mtu 1 Makame"
    assert rows(conn, "SELECT code, reading FROM rejects") == [("shared_zan_id", EDGES)]
    assert rows(conn, "SELECT count(*) FROM employee_changes") == [(0,)]
    await lists.run(corrected, record(2), record(3), record(4))
    assert lists.names()[0] == "Asha Mtu 1 Juma"
    assert rows(conn, "SELECT count(*) FROM reject_cases WHERE closed_at IS NULL") == [(0,)]


@pytest.mark.parametrize("of", [(record(2), ASHA, ALI, record(3)), (ASHA, record(2), ALI, record(3))])
async def test_a_reject_that_only_the_edges_met_replaces_no_record(
    conn: Connection, lists: Lists, of: tuple[dict[str, Any], ...]
) -> None:
    """The list moved by one place: Ali stands where Asha stood, or Asha is far from the edge."""
    await lists.run(ASHA, record(2))
    attempt = await edges(lists, page([ALI], total=4, number=1, size=1), of=of)
    assert await end(lists.pool, attempt, 4, (FIRST, EDGES)) == "complete_after_repair"
    assert lists.names() == ["Asha Mtu 1 Makame", "Asha Mtu 2 Makame", "Asha Mtu 3 Makame"]
    assert rows(conn, "SELECT reading, position FROM rejects ORDER BY 1") == [(1, 0), (2, 0)]
    assert rows(conn, "SELECT count(*) FROM employee_changes") == [(0,)]


async def test_a_copy_beside_an_edge_writes_no_history(conn: Connection, lists: Lists) -> None:
    await lists.run(ASHA, record(2))
    await edges(lists, page([MOVED], total=4, number=2, size=1), of=(ASHA, record(2), MOVED, record(3)))
    assert rows(conn, "SELECT current_workplace FROM employees ORDER BY zan_id LIMIT 1") == [
        ("Wizara ya Afya",)
    ]
    assert rows(conn, "SELECT count(*) FROM employee_changes") == [(0,)]


async def test_an_attempt_that_resumes_the_second_reading_keeps_what_it_saved(
    conn: Connection, lists: Lists
) -> None:
    """The first reading is resolved again; it held Asha twice, the second one holds her once, changed."""
    await lists.run(ASHA, record(2))
    copy = record(1, workplace="Wizara ya Elimu")
    attempt = await edges(lists, of=(ASHA, record(2), copy, record(3)))
    await save(lists.pool, attempt, page([MOVED, record(2)], total=4, number=0, size=2), SECOND)
    await resolve(attempt, lists.pool, [FIRST])
    assert rows(conn, "SELECT current_workplace FROM employees ORDER BY zan_id LIMIT 1") == [
        ("Wizara ya Maji",)
    ]


@pytest.mark.parametrize("kind", ["sync", "preview"])
async def test_a_known_reject_that_a_run_without_proof_meets_alone_does_not_replace_the_owner(
    conn: Connection, lists: Lists, kind: str
) -> None:
    """HRIMS does not give the second page, on which Asha stands."""
    await lists.run(record(2), ALI, ASHA, record(3))
    await lists.run(ASHA, record(2), ALI, record(3))
    assert lists.names()[0] == "Ali Mtu 1 Makame"
    attempt = await begin(conn, lists.pool, queue(conn, lists.institution, kind))
    await save(lists.pool, attempt, page([record(2), ASHA], total=4, number=0, size=2))
    await resolve(attempt, lists.pool, [FIRST])
    assert await reject_known(attempt, lists.pool) == 1
    assert await reject_known(attempt, lists.pool) == 0
    assert await end(lists.pool, attempt, 4) == "incomplete"
    assert lists.names()[0] == "Ali Mtu 1 Makame"
    assert rows(conn, "SELECT count(*) FROM employee_changes") == [(0,)]
    assert rows(conn, f"SELECT code, position FROM rejects WHERE run_id = {attempt.run_id}") == [
        ("shared_zan_id", 1)
    ]
    assert rows(
        conn,
        f"SELECT people, rejected FROM runs JOIN run_progress ON run_id = id WHERE id = {attempt.run_id}",
    ) == [(1, 1)]


async def test_a_corrected_name_is_no_known_reject(conn: Connection, lists: Lists) -> None:
    await lists.run(ASHA, record(2), ALI, record(3))
    corrected = record(1, lastName="Juma")
    attempt = await begin_new_run(conn, lists.pool, lists.institution, page_size=2)
    await save(lists.pool, attempt, page([corrected, record(2)], total=4, number=0, size=2))
    await resolve(attempt, lists.pool, [FIRST])
    assert await reject_known(attempt, lists.pool) == 0
    assert lists.names()[0] == "Asha Mtu 1 Juma"
