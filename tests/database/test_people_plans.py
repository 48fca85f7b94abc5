"""Searching people and reading one's history goes by an index, however many there are."""

import re
from collections.abc import Iterator

import psycopg
import pytest

from hrims.access.scope import EVERYTHING
from hrims.db import Connection
from hrims.people import store
from tests.support.databases import clone

MANY = 30_000


@pytest.fixture(scope="module")
def dsn(server_dsn: str, template_database: str) -> Iterator[str]:
    """Provide the DSN of a database with many people called Asha, each with two unique names.

    Tests only read it: their transactions are rolled back.
    """
    with clone(server_dsn, template_database) as made:
        with psycopg.connect(made, autocommit=True) as conn:
            conn.execute(
                """
                INSERT INTO employees
                    (zan_id, name, payroll_number, status, first_run_id, last_changed_run_id)
                SELECT (100000000 + n)::text, 'Asha ' || md5(n::text) || ' Makame' || n, n::text,
                    'Confirmed', 1, 1
                FROM generate_series(1, %s) n
                """,
                (MANY,),
            )
            conn.execute("VACUUM ANALYZE employees, name_words")
        yield made


@pytest.fixture
def crowded(dsn: str) -> Iterator[Connection]:
    """Provide a connection in the transaction of a search among these people."""
    with psycopg.connect(dsn, autocommit=True) as conn, conn.transaction(force_rollback=True):
        conn.execute(store.FIND["plan_by_index"], {"timeout": "60s"})
        yield conn


PARTS = ["asha", "makame77"]
FEW: dict[str, object] = {"query": "('makame77':*) & ('asha':*)", "rest": None}
ALL: dict[str, object] = {"query": "('asha':*)", "rest": None}
REST: dict[str, object] = {"query": "('makame77':*)", "rest": "('as':*)"}
NEAR = {
    "query": "('ashe':* | 'asha') & ('makame':*)",
    "rest": "('a':*)",
    "ids": [7, 8],
    "key": "ashe makame a",
    "compared": 500,
}


@pytest.mark.parametrize(
    ("statement", "given", "index"),
    [
        ("by_number", {"text": "100 000 007", "number": "100000007"}, "employees_zan_id_once"),
        ("by_number", {"text": "7", "number": "7"}, "employees_payroll_number"),
        ("by_beginning", {"beginning": "asha 0%"}, "employees_name"),
        ("by_beginning", {"beginning": "a%"}, "employees_name"),
        ("by_parts", FEW, "employees_name_parts"),
        ("by_parts", ALL, "employees_name_parts"),
        ("by_parts", REST, "employees_name_parts"),
        ("near_words", {"parts": PARTS, "shortest": 3}, "name_words_alike"),
        ("by_near_words", NEAR, "employees_name_parts"),
        ("found", {"ids": [7, 8], "similar": [8], "text": "asha"}, "employees_pkey"),
        ("history", {"id": 7}, "employee_changes_employee"),
        ("history", {"id": 7}, "employee_events_employee"),
    ],
)
def test_it_uses_the_index(crowded: Connection, statement: str, given: dict[str, object], index: str) -> None:
    sql = store.HISTORY.encode() if statement == "history" else store.FIND[statement]
    rows = crowded.execute(b"EXPLAIN " + sql, {"limit": 50, **EVERYTHING.values, **given}).fetchall()
    plan = "\n".join(line for (line,) in rows)
    assert index in plan, plan
    assert not re.search(r"Seq Scan on (employees|employee_|name_words)", plan), plan


@pytest.mark.parametrize("given", [("by_parts", REST), ("by_near_words", NEAR)], ids=lambda given: given[0])
def test_the_index_does_not_look_up_short_parts(
    crowded: Connection, given: tuple[str, dict[str, object]]
) -> None:
    values = {"limit": 50, **EVERYTHING.values, **given[1]}
    rows = crowded.execute(b"EXPLAIN " + store.FIND[given[0]], values).fetchall()
    [looked_up] = [line for (line,) in rows if "Index Cond" in line]
    assert str(given[1]["rest"]).strip("()") not in looked_up


def test_new_people_add_their_search_words_by_index(crowded: Connection) -> None:
    """The trigger's statement, which each page runs, as its settings let it be planned."""
    crowded.execute("CREATE TEMP TABLE came AS SELECT name FROM employees LIMIT 100")
    crowded.execute("SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off")
    [(body,)] = crowded.execute("SELECT prosrc FROM pg_proc WHERE proname = 'insert_name_words'").fetchall()
    insert = re.search(r"INSERT.*?;", body, re.DOTALL)
    assert insert
    plan = "\n".join(line for (line,) in crowded.execute(b"EXPLAIN " + insert[0].encode()).fetchall())
    assert "name_words_word" in plan, plan


def test_search_finds_among_many(crowded: Connection) -> None:
    first, *others = store.search(crowded, EVERYTHING, "asha makame29999", 50)
    assert (first["payroll_number"], first["is_similar"]) == ("29999", False)
    assert all(other["is_similar"] for other in others)
    assert len(store.search(crowded, EVERYTHING, "asha", 50)) == 50
    assert store.search(crowded, EVERYTHING, "asya makame29999", 50)[0]["payroll_number"] == "29999"
