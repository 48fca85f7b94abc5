"""Searching people and reading one's history goes by an index, however many there are."""

import re

import pytest

from hrims.db import Connection
from hrims.people import store

MANY = 30_000


@pytest.fixture
def crowded(conn: Connection) -> Connection:
    conn.execute(
        """
        INSERT INTO employees (zan_id, name, payroll_number, status, first_run_id, last_changed_run_id)
        SELECT (100000000 + n)::text, 'Asha ' || md5(n::text) || ' Makame' || n, n::text, 'Confirmed', 1, 1
        FROM generate_series(1, %s) n
        """,
        (MANY,),
    )
    conn.execute("ANALYZE employees")
    return conn


@pytest.mark.parametrize(
    ("statement", "given", "index"),
    [
        (store.BY_NUMBER, {"words": "100000007"}, "employees_zan_id_once"),
        (store.BY_NUMBER, {"words": "7"}, "employees_payroll_number"),
        (store.BY_NAME, {"whole": "asha 0%", "first": "asha%", "last": "0%"}, "employees_name"),
        (store.BY_NAME, {"whole": "makame77%", "first": "%", "last": "makame77%"}, "employees_last_name"),
        (store.HISTORY, {"id": 7}, "employee_changes_employee"),
        (store.HISTORY, {"id": 7}, "employee_events_employee"),
    ],
)
def test_it_uses_the_index(crowded: Connection, statement: str, given: dict[str, object], index: str) -> None:
    rows = crowded.execute(f"EXPLAIN {statement}".encode(), {"most": 50, **given}).fetchall()
    plan = "\n".join(line for (line,) in rows)
    assert index in plan
    assert not re.search(r"Seq Scan on (employees|employee_)", plan), plan


def test_search_finds_among_many(crowded: Connection) -> None:
    (one,) = store.search(crowded, "asha makame29999", 50)
    assert one["payroll_number"] == "29999"
    assert len(store.search(crowded, "asha", 50)) == 50
