"""Known rejects among records that share a ZanID: found by an index, locked in key order."""

import asyncio
from typing import Any

import pytest

from hrims.db import AsyncPool, Connection
from hrims.rejects import store
from hrims.sync.repeats.resolve import resolve
from hrims.sync.store import EDGES, FIRST
from tests.database.previews import queue
from tests.database.runs import begin, institution, rows, wait_until_blocked
from tests.database.sync_steps import begin_new_run, end, save
from tests.database.test_repeats import ALI, ASHA
from tests.support.people import page, record

MANY = 20_000


def listing(count: int) -> Any:
    """Return this many ZanIDs, each of two people."""
    people = [record(number, lastName=name) for name in ("Makame", "Juma") for number in range(count)]
    return page(people, total=len(people))


async def test_it_works(conn: Connection, pool: AsyncPool) -> None:
    """Known rejects are found by the index, however many cases are open."""
    attempt = await begin_new_run(conn, pool, institution(conn))
    await save(pool, attempt, listing(3))
    await end(pool, attempt, 6)
    conn.execute(
        """
        INSERT INTO reject_cases (institution_id, identifier_type, record_key, by_place, code, reason,
                                  page_size, page_number, position, remote_total, first_run_id, last_run_id)
        SELECT 1, 'votecode', record_key(n::text), false, 'bad_date', 'wrong', 1, n, 0, 9, 1, 1
        FROM generate_series(1, %s) n
        """,
        (MANY,),
    )
    conn.execute("ANALYZE reject_cases")
    identities = [f"shared:{number} 1" for number in range(500)]
    params = {"run": attempt.run_id, "identities": identities}
    plan = conn.execute(f"EXPLAIN {store.FIND_KNOWN}".encode(), params).fetchall()
    plan_text = "\n".join(line for (line,) in plan)
    assert "reject_cases_open_keys" in plan_text
    assert "Seq Scan on reject_cases" not in plan_text, plan_text


async def test_cases_are_locked_in_key_order(conn: Connection, pool: AsyncPool) -> None:
    """As a run that asks again for rejects locks them, or the two wait for one another in a ring."""
    at = institution(conn)
    for _ in range(2):
        attempt = await begin_new_run(conn, pool, at)
        await save(pool, attempt, listing(8))
        if attempt.run_id == 1:
            await end(pool, attempt, 16)
    in_place_order = [id_ for (id_,) in rows(conn, "SELECT id FROM reject_cases ORDER BY place")]
    in_key_order = [id_ for (id_,) in rows(conn, "SELECT id FROM reject_cases ORDER BY record_key")]
    # One that resolving meets late in the order of employees, and early in that of keys.
    held = max(in_place_order, key=lambda key: in_place_order.index(key) - in_key_order.index(key))
    with conn.transaction():
        conn.execute("SELECT FROM reject_cases WHERE id = %s FOR UPDATE", (held,))
        resolving = asyncio.create_task(resolve(attempt, pool, [FIRST]))
        await wait_until_blocked(conn)
        behind = in_key_order[in_key_order.index(held) :]
        conn.execute("SELECT FROM reject_cases WHERE id = ANY(%s) FOR UPDATE NOWAIT", (behind,))
    await resolving
    assert rows(conn, "SELECT DISTINCT times FROM reject_cases") == [(2,)]


@pytest.mark.parametrize("kind", ["sync", "preview"])
async def test_a_reject_of_this_run_is_known(conn: Connection, pool: AsyncPool, kind: str) -> None:
    """The list moved by one place, and the edges hold the reject alone. A preview has no cases."""
    at = institution(conn)
    first = await begin_new_run(conn, pool, at, 2)
    await save(pool, first, page([ASHA, record(2)], total=2, size=2))
    await end(pool, first, 2)
    attempt = await begin(conn, pool, queue(conn, at, kind))
    for number, people in enumerate([[record(2), ASHA], [ALI, record(3)]]):
        await save(pool, attempt, page(people, total=4, number=number, size=2))
    await resolve(attempt, pool, [FIRST])
    await save(pool, attempt, page([ALI], total=4, number=1, size=1), EDGES)
    await resolve(attempt, pool, [FIRST, EDGES])
    assert rows(conn, "SELECT reading, name FROM rejects ORDER BY 1") == [
        (FIRST, "Ali Mtu 1 Makame"),
        (EDGES, "Ali Mtu 1 Makame"),
    ]
    assert rows(conn, "SELECT name FROM employees WHERE id = 1") == [("Asha Mtu 1 Makame",)]
