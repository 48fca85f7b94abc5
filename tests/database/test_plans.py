"""Saving a page reads people by the index on their ZanID and never a whole listing, whatever the planner
believes.
"""

import re
from typing import Any

import pytest

from hrims.access.scope import EVERYTHING
from hrims.db import AsyncPool, Connection
from hrims.employees import store
from hrims.institutions.workplaces import actions
from hrims.institutions.workplaces import store as workplaces
from hrims.leavers import store as leavers
from hrims.sync.store import SUMS
from tests.database.runs import begin, enqueue_run_of, institution
from tests.database.test_save_page import save
from tests.support.databases import execute_as_owner
from tests.support.people import record
from tests.support.users import ASHA

MANY = 5_000


@pytest.fixture
async def crowded(conn: Connection, pool: AsyncPool) -> Connection:
    """Return a table of many people, of which the planner's statistics know nothing."""
    execute_as_owner(conn, "ALTER TABLE employees SET (autovacuum_enabled = false)")
    attempt = await begin(conn, pool, enqueue_run_of(conn, institution(conn)))
    await save(attempt, pool, [record(1)])
    conn.execute(
        """
        INSERT INTO employees (zan_id, status, first_run_id, last_changed_run_id)
        SELECT (100000000 + n)::text, 'Confirmed', 1, 1 FROM generate_series(1, %s) n
        """,
        (MANY,),
    )
    return conn


def _plan(conn: Connection, statement: bytes, given: dict[str, Any], explain: bytes = b"EXPLAIN ") -> str:
    rows = conn.execute(explain + statement, EVERYTHING.values | given).fetchall()
    return "\n".join(line for (line,) in rows)


async def test_it_uses_the_index(crowded: Connection) -> None:
    params = {"run_id": 1, "institution_id": 1, "identifier_type": "votecode", "people": "[]"}
    with crowded.transaction():
        crowded.execute(store.SAVE["plan_by_index"])
        plan = _plan(crowded, store.SAVE["save_rows"], params)
    assert "employees_zan_id_once" in plan
    assert not re.search(r"(Seq Scan|Bitmap Heap Scan) on employees", plan), plan
    # A scan of the listings by less than the whole key reads all employees of the institution.
    scans = re.findall(r"Scan .*on listings.*\n\s+Index Cond: (.*)", plan)
    assert len(scans) == len(re.findall(r"Scan .*on listings", plan)), plan
    assert all("employee_id" in condition for condition in scans), plan


@pytest.fixture
async def many_workplaces(crowded: Connection) -> Connection:
    """Insert many institutions, and half of the people at one unmapped workplace."""
    crowded.execute("INSERT INTO workplaces (name) VALUES ('Hospitali Kuu ya Pwani'), ('Bodi')")
    crowded.execute("INSERT INTO institutions (name) SELECT 'Skuli ' || n FROM generate_series(1, 2000) n")
    crowded.execute(
        """
        UPDATE employees SET workplace_id = w.id, current_workplace = w.name
        FROM workplaces w WHERE w.name = 'Bodi' AND employees.id % 50 = 0
        """
    )
    crowded.execute("ANALYZE")
    return crowded


@pytest.mark.parametrize("name", ["waiting", "count_waiting", "aliases", "workplace"])
def test_people_of_a_workplace_are_counted_by_the_index(many_workplaces: Connection, name: str) -> None:
    params = {"name": "", "id": 2, "limit": 10, "offset": 0}
    plan = _plan(many_workplaces, workplaces.FIND[name], params)
    assert "employees_workplace" in plan
    assert "Seq Scan on employees" not in plan, plan


def test_names_that_are_alike_are_found_by_the_index(many_workplaces: Connection) -> None:
    plan = _plan(many_workplaces, workplaces.FIND["suggestions"], {"ids": [1, 2], "limit": 3})
    assert "institutions_name_alike" in plan, plan


def test_moving_people_reads_those_alone(many_workplaces: Connection) -> None:
    """Also when the planner knows nothing, and in a session that has done it often."""
    execute_as_owner(many_workplaces, "DELETE FROM pg_statistic")
    [(id_,)] = many_workplaces.execute("SELECT id FROM workplaces WHERE name = 'Bodi'").fetchall()
    read = "SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'employees'"
    with many_workplaces.transaction():
        # What this session has read before may still be counted.
        before = many_workplaces.execute(read.encode()).fetchall()
        for _ in range(4):
            assert actions.map_workplace(many_workplaces, ASHA, id_, 1).moved == MANY // 50
            assert actions.unmap(many_workplaces, ASHA, id_).moved == MANY // 50
        assert many_workplaces.execute(read.encode()).fetchall() == before


async def test_missing_employees_of_a_new_list_are_found_without_a_loop_over_all(
    crowded: Connection,
) -> None:
    """Of a list that was filled a moment ago there are no statistics."""
    execute_as_owner(crowded, "ALTER TABLE listings SET (autovacuum_enabled = false)")
    crowded.execute(
        "INSERT INTO listings (institution_id, identifier_type, employee_id, since_run_id)"
        " SELECT 1, 'votecode', id, 1 FROM employees WHERE id > 1 LIMIT 4000"
    )
    crowded.execute(
        "INSERT INTO run_pages (run_id, page_size, page_number, attempt, remote_total, records, people)"
        " SELECT 1, 100, 1 + page, 1, 4000, 100, array_agg(employee_id) FROM ("
        "   SELECT employee_id, row_number() OVER (ORDER BY employee_id) / 100 AS page FROM listings) AS all_"
        " GROUP BY page"
    )
    params = {"run": 1, "institution": 1, "type": "votecode", "readings": [1]}
    # With little to go by the planner believes now this and now that; here it believes the worst.
    crowded.execute("SET enable_hashjoin = off")
    crowded.execute("SET enable_mergejoin = off")
    plan = _plan(crowded, leavers.COUNT_MISSES, params, b"EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF) ")
    thrown_away = [int(rows) for rows in re.findall(r"Rows Removed by Join Filter: (\d+)", plan)]
    assert max(thrown_away, default=0) < 40_000, plan


@pytest.mark.parametrize("statement", [SUMS["end_run"], leavers.COUNT_MISSES])
async def test_the_last_complete_run_is_found_without_those_that_failed(
    conn: Connection, statement: bytes
) -> None:
    conn.execute(
        """
        INSERT INTO runs (kind, institution_id, identifier_type, identifier, page_size, requested_by,
                          requested_via, state, finished_at, trouble)
        SELECT 'sync', %s, 'votecode', '001', 100, 'asha', 'system', 'failed', now(), 'HRIMS is down.'
        FROM generate_series(1, 10000)
        """,
        (institution(conn),),
    )
    conn.execute("ANALYZE runs")
    params = {
        "run": 1,
        "number": 1,
        "outcome": "complete",
        "people": 1,
        "seen_twice": 0,
        "missing": 0,
        "rejected": 0,
    }
    params |= {"why": None, "readings": [1], "institution": 1, "type": "votecode", "since": 9, "reading": 1}
    plan = _plan(conn, statement, params)
    assert "runs_last_completed" in plan, plan
