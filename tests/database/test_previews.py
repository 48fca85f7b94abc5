"""A preview keeps what it fetched apart, and its difference is exact at every look."""

import re
from typing import Any

from hrims.access.scope import EVERYTHING
from hrims.db import AsyncPool, Connection
from hrims.previews import store
from tests.database.previews import end, fetch, queue, save_all
from tests.database.runs import begin, institution, rows
from tests.support.databases import execute_as_owner
from tests.support.people import record

WRITTEN = ("employees", "employee_changes", "listings", "workplaces")


def kinds(conn: Connection, run_id: int, kind: str) -> list[str]:
    return [entry["zanId"] for entry in store.list_entries(conn, EVERYTHING, run_id, kind, 100)]


async def test_a_preview_writes_no_employee(conn: Connection, pool: AsyncPool, health: int) -> None:
    run_id = await fetch(conn, pool, health, [record(n) for n in range(25)])
    for table in WRITTEN:
        assert rows(conn, f"SELECT count(*) FROM {table}") == [(0,)], table
    assert rows(conn, "SELECT count(*) FROM preview_people") == [(25,)]
    assert rows(conn, "SELECT state, outcome, people, missing, counted FROM runs") == [
        ("completed", "complete", 25, 0, [1])
    ]
    assert store.compare(conn, run_id)[:-1] == (25, 0, 0, 0, 0, 0, 0, 0)
    assert rows(conn, "SELECT new, changed, unchanged, saved FROM run_progress") == [(25, 0, 0, 25)]


async def test_every_kind_has_its_exact_payload(conn: Connection, pool: AsyncPool, health: int) -> None:
    institution(conn, "WIZARA YA ELIMU", "002", "156255891")
    # The reject stood beside the six people before, so that it is none of those who are missing.
    keyless = record(9, zanIdNumber=" ")
    await fetch(conn, pool, health, [*(record(n) for n in range(6)), keyless], "sync")
    records = [
        record(0),
        record(1, lastName="Ali", birthDate=None),
        record(2, workplace="wizara ya  ELIMU."),
        record(3, workplace="Pengine"),
        record(7),
        record(8, workplace=None),
        keyless,
        record(0),
    ]
    run_id = await fetch(conn, pool, health, records)
    found = store.compare(conn, run_id)
    assert found[:-1] == (2, 3, 1, 2, 0, 2, 2, 1)
    assert kinds(conn, run_id, "new") == ["580330007", "580330008"]
    assert kinds(conn, run_id, "unchanged") == ["580330000"]
    assert kinds(conn, run_id, "missing") == ["580330004", "580330005"]
    assert kinds(conn, run_id, "transfers") == ["580330002", "580330003"]
    changed = store.list_entries(conn, EVERYTHING, run_id, "changed", 10)
    assert changed[0]["changes"] == {
        "name": ["Asha Mtu 1 Makame", "Asha Mtu 1 Ali"],
        "date_of_birth": ["1990-09-17", None],
    }
    went = [(person["fromInstitution"], person["institution"]) for person in changed[1:]]
    assert went == [("WIZARA YA AFYA", "WIZARA YA ELIMU"), ("WIZARA YA AFYA", None)]
    assert store.list_entries(conn, EVERYTHING, run_id, "unmatched", 10) == [
        {"workplace": "Pengine", "people": 1},
        {"workplace": None, "people": 1},
    ]
    rejected = store.list_entries(conn, EVERYTHING, run_id, "rejected", 10)
    assert [(reject["record"], reject["code"]) for reject in rejected] == [(7, "no_zan_id")]


async def test_rows_come_page_by_page_each_once(conn: Connection, pool: AsyncPool, health: int) -> None:
    run_id = await fetch(conn, pool, health, [record(n) for n in range(25)])
    pages = [store.list_entries(conn, EVERYTHING, run_id, "new", 10, skip) for skip in (0, 10, 20, 30)]
    assert [len(page) for page in pages] == [10, 10, 5, 0]
    assert len({person["zanId"] for page in pages for person in page}) == 25


async def test_an_employee_met_again_keeps_the_latest_state(
    conn: Connection, pool: AsyncPool, health: int
) -> None:
    attempt = await begin(conn, pool, queue(conn, health))
    await save_all(attempt, pool, [record(1), record(2)])
    await save_all(attempt, pool, [record(1, workplace="Wizara ya Maji")], reading=3)
    await end(attempt, pool, 2)
    assert [
        entry["workplace"] for entry in store.list_entries(conn, EVERYTHING, attempt.run_id, "new", 10)
    ] == [
        "Wizara ya Maji",
        "Wizara ya Afya",
    ]


async def test_people_of_any_pass_and_possible_rejects_are_not_missing(
    conn: Connection, pool: AsyncPool, health: int
) -> None:
    await fetch(conn, pool, health, [record(n) for n in (0, 101, 202, 303)], "sync")
    attempt = await begin(conn, pool, queue(conn, health))
    await save_all(attempt, pool, [record(0), record(101), record(202, birthDate="soon")])
    await save_all(attempt, pool, [record(0)], reading=3)
    await end(attempt, pool, 1, readings=[3])
    assert kinds(conn, attempt.run_id, "missing") == ["580330303"]
    assert store.compare(conn, attempt.run_id).missing == 1


async def test_a_leaver_who_is_met_again_returns(conn: Connection, pool: AsyncPool, health: int) -> None:
    for count in (9, 8, 8):
        await fetch(conn, pool, health, [record(n) for n in range(count)], "sync")
    assert rows(conn, "SELECT zan_id FROM employees WHERE left_at IS NOT NULL") == [("580330008",)]
    run_id = await fetch(conn, pool, health, [record(n) for n in range(9)])
    assert kinds(conn, run_id, "returning") == ["580330008"]
    found = store.compare(conn, run_id)
    assert (found.unchanged, found.returning, found.missing) == (9, 1, 0)
    without = await fetch(conn, pool, health, [record(n) for n in range(8)])
    assert store.compare(conn, without).missing == 0


async def test_the_difference_follows_the_base(conn: Connection, pool: AsyncPool, health: int) -> None:
    await fetch(conn, pool, health, [record(n) for n in range(3)], "sync")
    run_id = await fetch(
        conn, pool, health, [record(n, lastName="Ali", workplace="Pengine") for n in range(3)]
    )
    seen = [store.compare(conn, run_id)]
    preview = store.find_preview(conn, run_id)
    assert preview
    assert preview.version == seen[0].version
    assert preview.changes_since(seen[0]) == []
    conn.execute("UPDATE employees SET status = 'Retired' WHERE zan_id = '580330001'")
    seen.append(store.compare(conn, run_id))
    assert preview.changes_since(seen[-1]) == ["Some of these people changed since."]
    institution(conn, "PENGINE", "002", "156255891")
    seen.append(store.compare(conn, run_id))
    assert preview.changes_since(seen[-1]) == ["The register, or what its names mean, changed since."]
    await fetch(conn, pool, health, [record(1)], "sync")
    seen.append(store.compare(conn, run_id))
    later = store.find_preview(conn, run_id)
    assert later
    assert later.changes_since(seen[-1])[0] == f"Run {run_id + 1} of this institution ended since."
    assert len({preview.version for preview in seen}) == len(seen)


async def test_a_zan_id_with_leading_zeros_is_another_person(
    conn: Connection, pool: AsyncPool, health: int
) -> None:
    records = [record(1, zanIdNumber=zan_id) for zan_id in ("12345678", "012345678", "0012345678")]
    run_id = await fetch(conn, pool, health, records)
    assert rows(conn, f"SELECT people, outcome FROM runs WHERE id = {run_id}") == [(3, "complete")]


async def test_an_incomplete_preview_says_so(conn: Connection, pool: AsyncPool, health: int) -> None:
    attempt = await begin(conn, pool, queue(conn, health))
    await save_all(attempt, pool, [record(1)])
    await end(attempt, pool, 2)
    assert rows(conn, "SELECT outcome, missing FROM runs") == [("incomplete", 1)]


async def test_it_reads_employees_by_their_index_whatever_the_planner_believes(
    conn: Connection, pool: AsyncPool, health: int
) -> None:
    execute_as_owner(conn, "ALTER TABLE employees SET (autovacuum_enabled = false)")
    await fetch(conn, pool, health, [record(1)], "sync")
    run_id = await fetch(conn, pool, health, [record(n) for n in range(30)])
    conn.execute(
        """
        INSERT INTO employees (zan_id, status, first_run_id, last_changed_run_id)
        SELECT (100000000 + n)::text, 'Confirmed', 1, 1 FROM generate_series(1, 5000) n
        """
    )
    params: dict[str, Any] = {"run": run_id, "kind": "new", "limit": 25, "skip": 0, "scope": [health]}
    for name in ("count", "people", "count_hidden", "missing", "unmatched"):
        with conn.transaction():
            conn.execute(store.SQL["plan_by_index"])
            statement = b"EXPLAIN (ANALYZE, TIMING OFF) " + store.SQL["difference"] + b"\n" + store.SQL[name]
            plan = "\n".join([name, *(line for (line,) in conn.execute(statement, params))])
        assert not re.search(r"(Seq Scan|Bitmap Heap Scan) on employees", plan), plan
        read = re.findall(r"Scan using employees_\w+ on employees.*rows=([0-9.]+) loops=", plan)
        assert read, plan
        assert all(float(rows_) <= 1 for rows_ in read), plan
