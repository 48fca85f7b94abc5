"""Search for people by parts of a name, in any order and spelling, and by numbers as typed."""

from typing import Any

import psycopg
import pytest

from hrims.access.scope import EVERYTHING
from hrims.db import Connection
from hrims.errors import InvalidInput
from hrims.people import queries, store

PEOPLE = (
    "Khalfan Juma Makame",
    "Asha  Amina",
    "Asha\u00a0Amina Ali",
    "Ng'ambo Haji Said",
    "Ng\u2019ambo Haji Said",
    "Ng\u02bcambo Haji Said",
    "Ngambo Haji Said",
    "Maryam Salum Omar",
    "Zoe\u0301 Suleiman",
    "Abdul-Rahman Mussa",
    "Dr. Fatma (Bi) Khamis",
    "O. Bi",
    "Bi Ame Oo",
)
PAYROLL = {1: "963001", 2: "PF 12/7"}


@pytest.fixture
def people(conn: Connection) -> Connection:
    """Return employees whose names were saved without being cleaned."""
    for number, name in enumerate(PEOPLE, 1):
        conn.execute(
            "INSERT INTO employees (zan_id, name, payroll_number, status, first_run_id, last_changed_run_id)"
            " VALUES (%s, %s, %s, 'Confirmed', 1, 1)",
            (f"5803300{number:02d}", name, PAYROLL.get(number)),
        )
    return conn


def found(conn: Connection, query: str) -> tuple[set[str], set[str]]:
    """Return the names that match, and those that are similar."""
    rows: list[dict[str, Any]] = store.search(conn, EVERYTHING, query, 50)
    exact = {row["name"] for row in rows if not row["is_similar"]}
    return exact, {row["name"] for row in rows if row["is_similar"]}


NGAMBO = {name for name in PEOPLE if name.endswith("Haji Said")}
ASHA = {"Asha  Amina", "Asha\u00a0Amina Ali"}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("Makame Khalfan", {PEOPLE[0]}),
        ("juma makame khalfan", {PEOPLE[0]}),
        ("  JUM\u00a0 khal ", {PEOPLE[0]}),
        ("Juma", {PEOPLE[0]}),
        ("Asha Amina", ASHA),
        ("amina  asha", ASHA),
        ("Ng'ambo", NGAMBO),
        ("ng\u2019ambo said", NGAMBO),
        ("Said NG\u02bcAMBO haji", NGAMBO),
        ("ng`amb", NGAMBO),
        ("ngambo", NGAMBO),
        ("Zo\u00e9", {PEOPLE[8]}),
        ("SULEIMAN ZOE\u0301", {PEOPLE[8]}),
        ("rahman abdul", {PEOPLE[9]}),
        ("abdul-rahman", {PEOPLE[9]}),
        ("fatma bi", {PEOPLE[10]}),
        ("fat b", {PEOPLE[10]}),
        ("o k kha", set()),
        ("k j kha", {PEOPLE[0]}),
        ("o bi", {PEOPLE[11]}),
        ("BI O.", {PEOPLE[11]}),
        ("b o", set()),
        ("bi a", {PEOPLE[12]}),
        ("am", set()),
        ("bi", {PEOPLE[10], PEOPLE[11], PEOPLE[12]}),
        ("580 3300 04", {PEOPLE[3]}),
        ("\u00a05803\u2009300\u200b04", {PEOPLE[3]}),
        ("963 001", {PEOPLE[0]}),
        ("PF 12/7", {PEOPLE[1]}),
        ("ame", {PEOPLE[12]}),
        ("' - '", set()),
        ("", set()),
    ],
)
def test_search_finds(people: Connection, query: str, names: set[str]) -> None:
    assert found(people, query)[0] == names


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("Mariam", {PEOPLE[7]}),
        ("omar MIRYAM", {PEOPLE[7]}),
        ("Mariam Salim", {PEOPLE[7]}),
        ("Mariam o", {PEOPLE[7]}),
        ("Mariam k", set()),
        ("Umar Maryam", {PEOPLE[7]}),
        ("Kalfan Makame", {PEOPLE[0]}),
        ("Mariam Makame", set()),
        ("580330099", set()),
        ("xyzzy", set()),
    ],
)
def test_a_near_spelling_is_similar(people: Connection, query: str, names: set[str]) -> None:
    assert found(people, query) == (set(), names)


def test_a_match_comes_first_and_is_not_similar(people: Connection) -> None:
    people.execute("UPDATE employees SET name = 'Mariam Juma' WHERE name LIKE 'Khalfan%'")
    assert found(people, "mariam") == ({"Mariam Juma"}, {"Maryam Salum Omar"})
    assert [row["is_similar"] for row in store.search(people, EVERYTHING, "mariam", 50)] == [False, True]
    assert len(store.search(people, EVERYTHING, "mariam", 1)) == 1


def test_a_new_name_is_found_by_a_near_spelling(people: Connection) -> None:
    people.execute("UPDATE employees SET name = 'Mwanajuma Shaali' WHERE name LIKE 'Khalfan%'")
    assert found(people, "mwanajume shali") == (set(), {"Mwanajuma Shaali"})


def test_a_query_contains_every_word_and_its_similar_words() -> None:
    assert queries.query(["ali", "omar"]) == "('ali':*) & ('omar':*)"
    assert (
        queries.query(["ali", "omar"], {1: ["umar", "omari"]}) == "('ali':*) & ('omar':* | 'umar' | 'omari')"
    )
    assert queries.query(["a", "omar", "bi"]) == "('omar':*)"
    assert queries.rest(["a", "omar", "bi"]) == "('a':*) & ('bi':*)"
    assert queries.query(["a", "bi"]) == "'a' & 'bi'"
    assert queries.rest(["a", "bi"]) is None
    assert queries.rest(["omar", "ali"]) is None
    assert queries.by_place([(1, "a"), (2, "b"), (1, "c")]) == {0: ["a", "c"], 1: ["b"]}


def test_a_search_that_takes_too_long_is_stopped_and_says_so(
    people: Connection, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "STATEMENT_TIMEOUT", "100ms")
    with psycopg.connect(dsn) as other, other.transaction():
        other.execute("LOCK TABLE employees")
        with pytest.raises(InvalidInput, match=r"took too long and was stopped. Type more of the name\."):
            store.search(people, EVERYTHING, "asha", 50)
    assert people.execute("SHOW statement_timeout").fetchone() == ("0",)
    assert found(people, "asha")[0] == ASHA
