"""Text of users in statements: it is searched for, and never becomes a part of the statement."""

from typing import Final

import pytest
from flask import Flask

from hrims.db import Connection
from tests.web.browsers import Browser, new_browser, signed_in
from tests.web.objects import add_objects

OWN, FOREIGN = "MWENYEWE", "MGENI"

PAYLOADS: Final = [
    "' OR '1'='1",
    "' OR 1=1 --",
    "Asha%' OR name LIKE '%",
    "'; DELETE FROM employees; --",
    "') UNION SELECT id, zan_id, name FROM employees --",
    "\\'; SELECT pg_sleep(9); --",
    "%s %(scope)s %(limit)s",
    "{0} {scope} %%",
    "$$; DROP TABLE employees; $$",
    "%",
    "___",
    "*:* | !asha & 'mgeni':*",
]

SEARCHES: Final = [
    "/dashboard/admin/workplaces?name={}",
    "/dashboard/admin/workplaces?find={}&workplace=1",
    "/api/hrims/workplaces?name={}",
    "/dashboard/admin/rejects?code={}",
    "/dashboard/admin/runs?kind={}",
]

AUDIT_FILTERS: Final = ["user", "action", "object", "request"]


@pytest.fixture
def officer_of_own(app: Flask, conn: Connection) -> Browser:
    """Provide a browser of an officer of one of two institutions."""
    own = add_objects(conn, OWN, "801", "811111111")
    add_objects(conn, FOREIGN, "902", "922222222")
    return signed_in(new_browser(app), conn, "rashid", "officer", [own.institution])


def count_people(conn: Connection) -> int:
    """Return the number of employees."""
    row = conn.execute("SELECT count(*) FROM employees").fetchone()
    assert row
    return int(row[0])


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_search_finds_nothing_foreign_and_changes_nothing(
    officer_of_own: Browser, conn: Connection, payload: str
) -> None:
    before = count_people(conn)
    csrf = officer_of_own.csrf()
    answers = [officer_of_own.get(url.format(payload)) for url in SEARCHES]
    answers.append(
        officer_of_own.post(
            "/dashboard/admin/people", data={"csrf_token": csrf, "words": payload}, follow_redirects=True
        )
    )
    answers.append(
        officer_of_own.post(
            "/api/hrims/people/search", json={"words": payload}, headers={"X-CSRFToken": csrf}
        )
    )
    for answer in answers:
        assert answer.status_code in {200, 400}, answer.text[:300]
        assert FOREIGN not in answer.text
    assert count_people(conn) == before


@pytest.mark.parametrize("name", AUDIT_FILTERS)
def test_a_filter_of_the_audit_trail_matches_only_what_was_typed(
    auditor: Browser, administrator: Browser, name: str
) -> None:
    administrator.get("/dashboard/admin/users")
    for payload in PAYLOADS:
        answer = auditor.get("/dashboard/admin/audit", query_string={name: payload})
        assert answer.status_code == 200, answer.text[:300]
        assert "No records" in answer.text
