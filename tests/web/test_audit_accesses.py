"""Who read personal data is in the audit trail, without the data."""

from typing import Any

import pytest

from hrims.db import Connection
from tests.web.browsers import Browser

PERSON, SEARCH = "/dashboard/admin/people/{}", "/api/hrims/people/search"


def records(conn: Connection) -> list[Any]:
    """Return actor, action, object and details of each access."""
    return conn.execute(
        "SELECT actor, action, subject, details FROM audit_log"
        " WHERE action ~ '^(people|person|rejects)\\.' ORDER BY id"
    ).fetchall()


@pytest.fixture
def person(conn: Connection) -> int:
    row = conn.execute(
        "INSERT INTO employees (zan_id, name, status, first_run_id, last_changed_run_id)"
        " VALUES ('580330001', 'Asha Juma', 'Confirmed', 1, 1) RETURNING id"
    ).fetchone()
    assert row
    return int(row[0])


def test_the_record_of_a_person(officer: Browser, conn: Connection, person: int) -> None:
    assert officer.get(PERSON.format(person)).status_code == 200
    assert records(conn) == [("asha", "person.view", f"employee:{person}", {})]


def test_a_person_who_is_not_found_was_not_read(officer: Browser, conn: Connection) -> None:
    assert officer.get(PERSON.format(99)).status_code == 404
    assert records(conn) == []


def test_a_search_on_the_page(officer: Browser, conn: Connection, person: int) -> None:
    found = officer.press("/dashboard/admin/people", words="Asha Juma")
    assert officer.get(found.headers["Location"].partition("#")[0]).status_code == 200
    assert records(conn) == [("asha", "people.search", None, {"filters": ["words"]})]


def test_a_search_in_the_api(api: Browser, conn: Connection, person: int) -> None:
    assert api.post(SEARCH, json={"words": "580330001"}).get_json()["people"]
    assert [row[1:] for row in records(conn)] == [("people.search", None, {"filters": ["words"]})]
    [(text,)] = conn.execute("SELECT string_agg(l::text, '') FROM audit_log l").fetchall()
    assert "580330001" not in text


def test_a_list_of_rejects_with_a_filter(officer: Browser, api: Browser, conn: Connection) -> None:
    assert officer.get("/dashboard/admin/rejects").status_code == 200
    assert records(conn) == []
    officer.get("/dashboard/admin/rejects?code=bad_date&state=all&page=1")
    api.get("/api/hrims/rejects?state=closed")
    assert [row[1:] for row in records(conn)] == [
        ("rejects.search", None, {"filters": ["code", "state"]}),
        ("rejects.search", None, {"filters": ["state"]}),
    ]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_download(officer: Browser, conn: Connection, kind: str) -> None:
    with officer.get(f"/dashboard/admin/rejects/rejects.{kind}?state=all") as answer:
        assert answer.status_code == 200
    details = {"format": kind, "filters": ["state"], "rows": 0}
    assert records(conn) == [("asha", "rejects.export", None, details)]
