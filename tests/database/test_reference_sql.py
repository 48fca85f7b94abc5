"""Every query of the documents runs, and the views show what the tables hold.

The queries of docs/how-to/query-with-sql.md run in test_cookbook.py.
"""

import pytest

from hrims.db import AsyncPool, Connection
from tests.database.runs import begin, enqueue_run_of, institution
from tests.database.test_save_page import save
from tests.support.documents import PAGES, blocks_of
from tests.support.people import record

QUERIES = [
    query
    for page in PAGES
    for block in blocks_of(page)
    if block.language == "sql" and page.stem != "query-with-sql"
    for query in block.text.split(";")
    if query.strip()
]


def test_there_are_some() -> None:
    assert len(QUERIES) >= 5


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_of_the_reference_runs(owner: Connection, query: str) -> None:
    owner.execute(query.replace("%", "%%").encode())


async def test_the_views_show_a_run_its_job_and_its_people(conn: Connection, pool: AsyncPool) -> None:
    run_id = enqueue_run_of(conn, institution(conn))
    await save(await begin(conn, pool, run_id), pool, [record(1), record(2, workplace="Pengine")], total=2)
    run = conn.execute("SELECT job_id, institution, state, outcome, employee_count FROM runs_v").fetchall()
    assert run == [(run_id, "WIZARA YA AFYA", "active", None, 2)]
    job = conn.execute("SELECT job_id, institution, task, status FROM jobs_v").fetchall()
    assert job == [(run_id, "WIZARA YA AFYA", "sync.run", "todo")]
    people = conn.execute("SELECT institution FROM employees_v ORDER BY zan_id").fetchall()
    assert people == [("WIZARA YA AFYA",), (None,)]
