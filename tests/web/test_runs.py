"""The screen of all runs: newest first, those of an institution alone, those that ended so alone."""

import re

import pytest

from hrims.db import Connection
from hrims.runs import store
from tests.web.browsers import Browser
from tests.web.runs import end_run, enqueue_run_of, institution

PAGE = "/dashboard/admin/runs"

ENDS = [
    ("completed", "complete"),
    ("completed", "complete_after_repair"),
    ("completed", "incomplete"),
    ("failed", None),
    ("cancelled", None),
]


@pytest.fixture
def five(conn: Connection, health: int) -> list[int]:
    """Provide a run for each of ENDS."""
    return [end_run(conn, enqueue_run_of(conn, health), state, outcome) for state, outcome in ENDS]


def numbers(page: str) -> list[int]:
    """Return the runs that the table shows, in its order."""
    return [int(number) for number in re.findall(rf'href="{PAGE}/(\d+)"', page)]


def test_all_are_shown_the_newest_first(officer: Browser, five: list[int]) -> None:
    assert numbers(officer.get(PAGE).text) == five[::-1]


@pytest.mark.parametrize(
    ("kind", "which"), [("complete", [1, 0]), ("incomplete", [2]), ("failed", [3]), ("cancelled", [4])]
)
def test_those_that_ended_so_are_shown_alone(
    officer: Browser, five: list[int], kind: str, which: list[int]
) -> None:
    page = officer.get(f"{PAGE}?kind={kind}").text
    assert numbers(page) == [five[one] for one in which]
    assert re.search(rf'kind={kind}" aria-current="page"', page)


def test_those_of_an_institution_are_shown_alone_on_every_tab(
    officer: Browser, conn: Connection, five: list[int], health: int
) -> None:
    other = institution(conn, "BODI YA MKONGE", "037", "100200300")
    failed = end_run(conn, enqueue_run_of(conn, other, "037"), "failed", None)
    page = officer.get(f"{PAGE}?institution={other}").text
    assert "Runs of BODI YA MKONGE" in page
    assert numbers(page) == [failed]
    assert f"{PAGE}?institution={other}&amp;kind=failed" in page
    assert numbers(officer.get(f"{PAGE}?institution={health}&kind=failed").text) == [five[3]]


def test_older_ones_are_on_further_pages(officer: Browser, conn: Connection, health: int) -> None:
    runs = [end_run(conn, enqueue_run_of(conn, health)) for _ in range(26)]
    page = officer.get(PAGE).text
    assert numbers(page) == runs[:0:-1]
    assert f"{PAGE}?kind=all&amp;page=2" in page
    assert numbers(officer.get(f"{PAGE}?page=2").text) == runs[:1]
    assert "Nothing on this page." in officer.get(f"{PAGE}?page=3").text


def test_nothing_is_there_yet(officer: Browser) -> None:
    assert "No runs match." in officer.get(PAGE).text


def test_the_list_follows_what_is_under_way(
    officer: Browser, five: list[int], health: int, conn: Connection
) -> None:
    assert officer.get(f"{PAGE}/list").status_code == 286
    enqueue_run_of(conn, health)
    answer = officer.get(f"{PAGE}/list?institution={health}")
    assert answer.status_code == 200
    assert f'hx-get="{PAGE}/list?institution={health}&amp;kind=all"' in answer.text


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("institution=77", 404, "There is no institution with this id"),
        ("institution=one", 404, "There is no institution with this id"),
        ("kind=lost", 400, "kind must be one of all, complete, incomplete, failed, cancelled."),
        ("page=0", 400, "page must be a whole number from 1 to 100,000."),
        ("page=999999999999", 400, "page must be a whole number from 1 to 100,000."),
    ],
)
def test_a_wrong_address_is_refused_in_words(officer: Browser, address: str, status: int, words: str) -> None:
    answer = officer.get(f"{PAGE}?{address}")
    assert (answer.status_code, words in answer.text) == (status, True)


@pytest.mark.parametrize("kind", ["incomplete", "failed", "cancelled"])
def test_the_few_that_went_wrong_are_found_by_their_index(conn: Connection, health: int, kind: str) -> None:
    conn.execute(
        """
        INSERT INTO runs (kind, institution_id, identifier_type, identifier, page_size, requested_by,
                          requested_via, state, outcome, started_at, finished_at, people, seen_twice, missing)
        SELECT 'sync', %s, 'votecode', '001', 100, 'asha', 'system', 'completed', 'complete', now(), now(),
               0, 0, 0
        FROM generate_series(1, 20000)
        """,
        (health,),
    )
    conn.execute("ANALYZE runs")
    sql = f"EXPLAIN SELECT w.id FROM runs w WHERE {store.ENDED[kind]} ORDER BY w.id DESC LIMIT 26"
    plan = "\n".join(line for (line,) in conn.execute(sql.encode()).fetchall())
    assert "runs_went_wrong" in plan, plan
