"""Every query that the README shows runs, and the views say what the tables hold."""

import re

import pytest

from hrims.config import PROJECT
from hrims.db import AsyncPool, Connection
from tests.database.runs import ask_for, begin, institution
from tests.database.test_save_page import save
from tests.people import record

BLOCKS = re.findall(r"```sql\n(.*?)```", (PROJECT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
QUERIES = [query for block in BLOCKS for query in block.split(";") if query.strip()]


def test_there_are_some() -> None:
    assert len(QUERIES) >= 5


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_of_the_readme_runs(conn: Connection, query: str) -> None:
    conn.execute(query.replace("%", "%%").encode())


async def test_the_views_show_a_run_its_job_and_its_people(conn: Connection, pool: AsyncPool) -> None:
    run_id = ask_for(conn, institution(conn))
    await save(await begin(conn, pool, run_id), pool, [record(1), record(2, workplace="Pengine")], total=2)
    run = conn.execute("SELECT job_id, institution, state, outcome, employee_count FROM runs_v").fetchall()
    assert run == [(run_id, "WIZARA YA AFYA", "active", None, 2)]
    job = conn.execute("SELECT job_id, institution, task, status FROM jobs_v").fetchall()
    assert job == [(run_id, "WIZARA YA AFYA", "sync.run", "todo")]
    people = conn.execute("SELECT institution FROM employees_v ORDER BY zan_id").fetchall()
    assert people == [("WIZARA YA AFYA",), (None,)]
