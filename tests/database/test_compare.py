"""Two runs beside one another: who was met by which, and what changed in between, exactly."""

import random
import re
from typing import Any

import pytest

from hrims.access.scope import EVERYTHING
from hrims.db import AsyncPool, Connection
from hrims.errors import Conflict, InputError, InvalidInput, NotFound, Unprocessable
from hrims.jobs import control
from hrims.runs.compare import store
from hrims.runs.compare.pair import find_pair
from tests.database.previews import approve, carry_out, end, fetch, queue, save_all
from tests.database.runs import begin, enqueue_run_of, institution
from tests.support.databases import execute_as_owner
from tests.support.people import record
from tests.support.users import ASHA


def changes(conn: Connection, a: int, b: int) -> dict[str, Any]:
    return {
        entry["zanId"]: entry["changes"]
        for entry in store.list_entries(conn, EVERYTHING, (a, b), "changed", 1000, 0)
    }


def people(conn: Connection, a: int, b: int, kind: str) -> list[str]:
    return [entry["zanId"] for entry in store.list_entries(conn, EVERYTHING, (a, b), kind, 1000, 0)]


async def test_it_works(conn: Connection, pool: AsyncPool, health: int) -> None:
    a = await fetch(conn, pool, health, [record(n) for n in range(20)], "sync")
    now = [record(n, lastName="Ali" if n == 7 else "Makame") for n in range(5, 23)]
    b = await fetch(conn, pool, health, now, "sync")
    assert store.count_differences(conn, a, b) == (1, 5, 3, 15)
    assert people(conn, a, b, "only_a") == [f"58033000{n}" for n in range(5)]
    assert people(conn, a, b, "only_b") == [f"5803300{n}" for n in range(20, 23)]
    assert len(people(conn, a, b, "both")) == 15
    assert changes(conn, a, b) == {"580330007": {"name": ["Asha Mtu 7 Makame", "Asha Mtu 7 Ali"]}}


async def test_an_employee_whose_record_the_other_run_rejected_is_not_gone(
    conn: Connection, pool: AsyncPool, health: int
) -> None:
    a = await fetch(conn, pool, health, [record(n) for n in range(5)], "sync")
    b = await fetch(conn, pool, health, [record(1, firstName="x" * 9999), *map(record, (2, 3, 4))], "sync")
    gone = {
        entry["zanId"]: entry["rejectedByOther"]
        for entry in store.list_entries(conn, EVERYTHING, (a, b), "only_a", 10, 0)
    }
    assert gone == {"580330000": False, "580330001": True}
    assert not any(
        entry["rejectedByOther"] for entry in store.list_entries(conn, EVERYTHING, (a, b), "both", 10, 0)
    )


async def test_changes_of_several_runs_are_one(conn: Connection, pool: AsyncPool, health: int) -> None:
    """From the first old value to the last new one; what came back did not change."""
    runs = [
        await fetch(conn, pool, health, [record(1, lastName=first, placeOfBirth=two), record(2)], "sync")
        for first, two in (("A", "M"), ("B", "N"), ("C", "M"), ("C", "M"), ("D", "M"))
    ]
    first, other = runs[0], runs[3]
    assert changes(conn, first, other) == {"580330001": {"name": ["Asha Mtu 1 A", "Asha Mtu 1 C"]}}
    assert changes(conn, runs[1], runs[2]) == {
        "580330001": {"name": ["Asha Mtu 1 B", "Asha Mtu 1 C"], "place_of_birth": ["N", "M"]}
    }
    assert store.count_differences(conn, runs[2], runs[3]) == (0, 0, 0, 2)


async def test_only_what_happened_in_between_counts(conn: Connection, pool: AsyncPool, health: int) -> None:
    other = institution(conn, "TUME", "037", "129673100")
    a = await fetch(conn, pool, health, [record(1)], "sync")
    await fetch(conn, pool, other, [record(1, lastName="Ali"), record(9)], "sync", vote="037")
    b = await fetch(conn, pool, health, [record(1, lastName="Ali")], "sync")
    await fetch(conn, pool, other, [record(1, lastName="Juma")], "sync", vote="037")
    assert changes(conn, a, b) == {"580330001": {"name": ["Asha Mtu 1 Makame", "Asha Mtu 1 Ali"]}}


async def test_only_counted_passes_meet_employees(conn: Connection, pool: AsyncPool, health: int) -> None:
    a = await fetch(conn, pool, health, [record(1), record(2)], "sync")
    attempt = await begin(conn, pool, queue(conn, health, "sync"))
    await save_all(attempt, pool, [record(1), record(2), record(3)])
    await save_all(attempt, pool, [record(1), record(3)], reading=3)
    await end(attempt, pool, 2, readings=[3])
    assert store.count_differences(conn, a, attempt.run_id) == (0, 1, 1, 1)


async def test_it_agrees_with_what_each_run_left(conn: Connection, pool: AsyncPool, health: int) -> None:
    """Against a plain comparison of copies of the table, over many runs of made-up people."""
    rng = random.Random(7)
    runs: list[tuple[int, set[str], dict[str, tuple[Any, ...]]]] = []
    for _ in range(6):
        numbers = rng.sample(range(30), 20)
        listed = [record(n, lastName=rng.choice("AB"), placeOfBirth=rng.choice("XY")) for n in numbers]
        run_id = await fetch(conn, pool, health, listed, "sync")
        copy = conn.execute("SELECT zan_id, name, place_of_birth FROM employees").fetchall()
        runs.append((run_id, {f"58033{n:04d}" for n in numbers}, {row[0]: row[1:] for row in copy}))
    for i, (a, in_a, then) in enumerate(runs):
        for b, in_b, now in runs[i + 1 :]:
            differ = {zan_id for zan_id in in_a & in_b if then[zan_id] != now[zan_id]}
            assert store.count_differences(conn, a, b) == (
                len(differ),
                len(in_a - in_b),
                len(in_b - in_a),
                len(in_a & in_b),
            )
            found = changes(conn, a, b)
            assert set(found) == differ
            for zan_id, fields in found.items():
                pairs = zip(("name", "place_of_birth"), then[zan_id], now[zan_id], strict=True)
                assert fields == {field: [old, new] for field, old, new in pairs if old != new}


async def test_an_apply_is_compared_as_a_sync_is(conn: Connection, pool: AsyncPool, health: int) -> None:
    a = await fetch(conn, pool, health, [record(1), record(2)], "sync")
    preview = await fetch(conn, pool, health, [record(1, lastName="Ali"), record(3)])
    b = approve(conn, preview).run_id
    await carry_out(conn, pool, b)
    assert store.count_differences(conn, a, b) == (1, 1, 1, 1)
    assert [side.id for side in store.list_sides(conn, health, 10)] == [b, a]


async def test_the_earlier_run_comes_first(conn: Connection, pool: AsyncPool, health: int) -> None:
    a = await fetch(conn, pool, health, [record(1)], "sync")
    b = await fetch(conn, pool, health, [record(1)], "sync")
    for first, other in ((a, b), (b, a)):
        found = find_pair(conn, EVERYTHING, first, other)
        assert (found.a.id, found.b.id) == (a, b)


async def test_runs_that_cannot_be_compared_are_refused_with_a_message(
    conn: Connection, pool: AsyncPool, health: int
) -> None:
    a = await fetch(conn, pool, health, [record(1)], "sync")
    preview = await fetch(conn, pool, health, [record(1)])
    other = institution(conn, "TUME", "037", "129673100")
    elsewhere = await fetch(conn, pool, other, [record(1)], "sync", vote="037")
    waiting = enqueue_run_of(conn, health)
    refused: list[tuple[Any, type[InputError], str]] = [
        (a, InvalidInput, "two different runs"),
        (4711, NotFound, "no run 4711"),
        (preview, Unprocessable, "is a preview"),
        (elsewhere, Unprocessable, "one institution"),
        (waiting, Conflict, "has not ended"),
    ]
    for params, error, message in refused:
        with pytest.raises(error, match=message):
            find_pair(conn, EVERYTHING, a, params)
    control.cancel(conn, ASHA, waiting)
    assert find_pair(conn, EVERYTHING, a, waiting).b.state == "cancelled"


async def test_it_reads_people_by_their_index_whatever_the_planner_believes(
    conn: Connection, pool: AsyncPool, health: int
) -> None:
    execute_as_owner(conn, "ALTER TABLE employees SET (autovacuum_enabled = false)")
    a = await fetch(conn, pool, health, [record(n) for n in range(30)], "sync")
    b = await fetch(conn, pool, health, [record(n, lastName="Ali") for n in range(30)], "sync")
    conn.execute(
        """
        INSERT INTO employees (zan_id, status, first_run_id, last_changed_run_id)
        SELECT (100000000 + n)::text, 'Confirmed', 1, 1 FROM generate_series(1, 5000) n
        """
    )
    params: dict[str, Any] = {"a": a, "b": b, "kind": "both", "limit": 25, "skip": 0, "scope": [health]}
    for name in ("count", "people", "changed", "count_hidden"):
        with conn.transaction():
            conn.execute(store.SQL["plan_by_index"])
            statement = b"EXPLAIN " + store.SQL["sides"] + b"\n" + store.SQL[name]
            plan = "\n".join([name, *(line for (line,) in conn.execute(statement, params))])
        assert not re.search(r"Seq Scan on employee|Bitmap Heap Scan on employees", plan), plan
