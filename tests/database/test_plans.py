"""Saving a page reads people by the index on their ZanID and never a whole listing, whatever the planner
believes.
"""

import re
from typing import Any

import pytest

from hrims.db import AsyncPool, Connection
from hrims.employees import store
from tests.database.runs import ask_for, begin, institution
from tests.database.test_save_page import save
from tests.people import record

MANY = 20_000


@pytest.fixture
async def crowded(conn: Connection, pool: AsyncPool) -> Connection:
    """A table of many people, of which the planner's statistics know nothing."""
    conn.execute("ALTER TABLE employees SET (autovacuum_enabled = false)")
    attempt = await begin(conn, pool, ask_for(conn, institution(conn)))
    await save(attempt, pool, [record(1)])
    conn.execute(
        """
        INSERT INTO employees (zan_id, status, first_run_id, last_changed_run_id)
        SELECT (100000000 + n)::text, 'Confirmed', 1, 1 FROM generate_series(1, %s) n
        """,
        (MANY,),
    )
    return conn


def _plan(conn: Connection, statement: bytes, given: dict[str, Any]) -> str:
    rows = conn.execute(b"EXPLAIN " + statement, given).fetchall()
    return "\n".join(line for (line,) in rows)


@pytest.mark.parametrize("name", ["insert_new", "update_changed", "list_people"])
async def test_it_uses_the_index(crowded: Connection, name: str) -> None:
    given = {"run_id": 1, "institution_id": 1, "identifier_type": "votecode"}
    with crowded.transaction():
        crowded.execute(store.SAVE["plan_by_index"])
        crowded.execute(store.SAVE["stage"])
        plan = _plan(crowded, store.SAVE[name], given)
    assert "employees_zan_id_once" in plan
    assert not re.search(r"(Seq Scan|Bitmap Heap Scan) on employees", plan), plan
    # A scan of the listings by less than the whole key reads everybody whom the institution lists.
    scans = re.findall(r"Scan .*on listings.*\n\s+Index Cond: (.*)", plan)
    assert len(scans) == len(re.findall(r"Scan .*on listings", plan)), plan
    assert all("employee_id" in condition for condition in scans), plan
