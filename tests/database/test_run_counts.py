"""The counts of a run are those of the tables, whatever its readings met."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hrims.access.scope import EVERYTHING
from hrims.db import AsyncPool, Connection
from hrims.runs import store as run_store
from hrims.sync.repeats.resolve import resolve
from hrims.sync.store import FIRST, SECOND
from tests.database.runs import institution
from tests.database.sync_steps import begin_new_run, end, save
from tests.support.databases import execute_as_owner
from tests.support.people import page, record

PAGE_SIZE = 3
WORKPLACES = ("WIZARA YA AFYA", "Mahali Pasipojulikana", None)
"""One on the register, one that waits to be matched, none at all."""

people = st.builds(
    lambda number, name, workplace, has_key: record(
        number,
        workplace=WORKPLACES[workplace],
        firstName=f"Jina {name}",
        **({} if has_key else {"zanIdNumber": None}),
    ),
    st.integers(0, 7),
    st.integers(0, 1),
    st.integers(0, 2),
    st.sampled_from([True, True, True, False]),
)
readings = st.lists(people, max_size=8)


def pages_of(records: list[dict[str, Any]], total: int) -> list[Any]:
    """Return the pages of a list."""
    starts = range(0, max(len(records), 1), PAGE_SIZE)
    return [
        page(records[start : start + PAGE_SIZE], total=total, number=start // PAGE_SIZE, size=PAGE_SIZE)
        for start in starts
    ]


def one(conn: Connection, sql: str) -> int:
    row = conn.execute(sql.encode()).fetchone()
    assert row
    return int(row[0])


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(runs=st.lists(st.tuples(readings, st.none() | readings, st.integers(0, 2)), min_size=1, max_size=3))
async def test_the_counts_of_a_run_are_those_of_the_tables(
    conn: Connection,
    pool: AsyncPool,
    runs: list[tuple[list[dict[str, Any]], list[dict[str, Any]] | None, int]],
) -> None:
    execute_as_owner(
        conn,
        "TRUNCATE institutions, runs, employees, workplaces, listings, employee_changes, reject_cases"
        " CASCADE",
    )
    at = institution(conn)
    for first, second, unseen in runs:
        attempt = await begin_new_run(conn, pool, at, PAGE_SIZE)
        read = {FIRST: first} | ({SECOND: second} if second is not None else {})
        total = len(second if second is not None else first) + unseen
        for reading, records in read.items():
            for part in pages_of(records, total):
                await save(pool, attempt, part, reading)
            await resolve(attempt, pool, [reading])
        await end(pool, attempt, total, tuple(reversed(read)))
        agrees_with_the_tables(conn, attempt.run_id, total)


def agrees_with_the_tables(conn: Connection, run_id: int, total: int) -> None:
    run = run_store.find_run(conn, EVERYTHING, run_id)
    assert run
    met = f"SELECT unnest(people) FROM run_pages WHERE run_id = {run_id}"
    assert run.people == run.saved == one(conn, f"SELECT count(*) FROM employees WHERE id IN ({met})")
    new = f"SELECT id FROM employees WHERE first_run_id = {run_id}"
    assert run.new == one(conn, f"SELECT count(*) FROM ({new}) n")
    changed = f"SELECT employee_id FROM employee_changes WHERE run_id = {run_id}"
    assert run.changed == one(
        conn, f"SELECT count(DISTINCT employee_id) FROM ({changed} AND employee_id NOT IN ({new})) c"
    )
    assert run.new + run.changed + run.unchanged == run.people
    nowhere = "SELECT count(*) FROM employees WHERE institution_id IS NULL"
    assert run.unmatched == one(conn, f"{nowhere} AND id IN ({met})")
    assert run.people + run.rejected + run.listed_twice + (run.missing or 0) == total


async def test_a_record_that_was_spoiled_in_one_reading_does_not_hide_a_missing_person(
    conn: Connection, pool: AsyncPool
) -> None:
    """Each of two readings spoils another record, and neither gives the fourth person."""
    attempt = await begin_new_run(conn, pool, institution(conn))
    for reading, spoiled in ((FIRST, 1), (SECOND, 2)):
        people = [record(n, birthDate="soon") if n == spoiled else record(n) for n in (1, 2, 3)]
        await save(pool, attempt, page(people, total=4), reading)
    assert await end(pool, attempt, 4, (SECOND, FIRST)) == "incomplete"
    run = run_store.find_run(conn, EVERYTHING, attempt.run_id)
    assert run is not None
    assert (run.people, run.rejected, run.missing) == (3, 0, 1)


@pytest.mark.parametrize(
    "broken", [{"birthDate": "soon"}, {"zanIdNumber": None}, {"zanIdNumber": None, "payrollNumber": None}]
)
async def test_a_record_that_every_reading_rejects_counts_once(
    conn: Connection, pool: AsyncPool, broken: dict[str, Any]
) -> None:
    attempt = await begin_new_run(conn, pool, institution(conn))
    for reading in (FIRST, SECOND):
        people = [record(1, **broken), record(2), record(3)]
        await save(pool, attempt, page(people, total=3), reading)
    assert await end(pool, attempt, 3, (SECOND, FIRST)) == "complete_after_repair"
    run = run_store.find_run(conn, EVERYTHING, attempt.run_id)
    assert run is not None
    assert (run.people, run.rejected, run.missing) == (2, 1, 0)
