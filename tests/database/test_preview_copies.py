"""A preview shows what its apply does where HRIMS lists copies of one person that differ elsewhere."""

from typing import Any

import pytest

from hrims.access.scope import EVERYTHING
from hrims.db import AsyncPool, Connection
from hrims.previews import store
from hrims.sync.repeats.resolve import resolve
from hrims.sync.store import EDGES, FIRST
from tests.database.previews import PAGE_SIZE, approve, carry_out, end, fetch, queue
from tests.database.runs import begin, institution, rows
from tests.database.sync_steps import save
from tests.support.people import page, record

ASHA, COPY = record(0), record(0, workplace="Wizara ya Maji")
REST = [record(number) for number in range(1, PAGE_SIZE)]


def workplaces(conn: Connection, preview_id: int, kind: str) -> list[Any]:
    """Return the workplace of ASHA as the preview shows it."""
    return [
        entry["workplace"]
        for entry in store.list_entries(conn, EVERYTHING, preview_id, kind, 100)
        if entry["zanId"] == ASHA["personalInfo"]["zanIdNumber"]
    ]


async def applied(conn: Connection, pool: AsyncPool, preview_id: int) -> list[Any]:
    """Apply the preview; return the workplace of ASHA, and what the apply counted as new and changed."""
    run = approve(conn, preview_id)
    await carry_out(conn, pool, run.run_id)
    return rows(
        conn,
        "SELECT e.current_workplace, p.new, p.changed FROM employees e, run_progress p"
        " WHERE e.zan_id = '580330000' ORDER BY p.run_id DESC LIMIT 1",
    )


@pytest.mark.parametrize(
    "records",
    [
        [ASHA, *REST, COPY],
        [COPY, *REST, ASHA],
        [ASHA, COPY, *REST],
        [COPY, ASHA, *REST],
        [ASHA, *REST, COPY, record(0, workplace="Wizara ya Elimu")],
    ],
)
async def test_a_copy_of_an_employee_is_no_change(
    conn: Connection, pool: AsyncPool, records: list[dict[str, Any]]
) -> None:
    at = institution(conn)
    await fetch(conn, pool, at, [ASHA, *REST], "sync")
    preview_id = await fetch(conn, pool, at, records)
    assert store.compare(conn, preview_id).changed == 0
    assert workplaces(conn, preview_id, "unchanged") == ["Wizara ya Afya"]
    assert await applied(conn, pool, preview_id) == [("Wizara ya Afya", 0, 0)]
    assert rows(conn, "SELECT count(*) FROM employee_changes") == [(0,)]


@pytest.mark.parametrize("records", [[ASHA, *REST, COPY], [ASHA, COPY, *REST]])
async def test_of_a_new_person_the_first_copy_is_shown_and_saved(
    conn: Connection, pool: AsyncPool, records: list[dict[str, Any]]
) -> None:
    preview_id = await fetch(conn, pool, institution(conn), records)
    assert workplaces(conn, preview_id, "new") == ["Wizara ya Afya"]
    assert await applied(conn, pool, preview_id) == [("Wizara ya Afya", PAGE_SIZE, 0)]


async def test_what_changed_in_every_copy_is_a_change_to_the_last_one(
    conn: Connection, pool: AsyncPool
) -> None:
    at = institution(conn)
    await fetch(conn, pool, at, [ASHA, *REST], "sync")
    preview_id = await fetch(conn, pool, at, [record(0, workplace="Wizara ya Elimu"), *REST, COPY])
    assert workplaces(conn, preview_id, "changed") == ["Wizara ya Maji"]
    assert await applied(conn, pool, preview_id) == [("Wizara ya Maji", 0, 1)]


async def test_a_change_beside_an_edge_is_shown_and_applied(conn: Connection, pool: AsyncPool) -> None:
    at = institution(conn)
    await fetch(conn, pool, at, [ASHA, record(2)], "sync")
    attempt = await begin(conn, pool, queue(conn, at))
    await save(pool, attempt, page([record(2), ASHA], total=2, size=2))
    await resolve(attempt, pool, [FIRST])
    await save(pool, attempt, page([COPY], total=2, size=1), EDGES)
    await end(attempt, pool, 2, [FIRST, EDGES])
    assert workplaces(conn, attempt.run_id, "changed") == ["Wizara ya Maji"]
    assert await applied(conn, pool, attempt.run_id) == [("Wizara ya Maji", 0, 1)]
