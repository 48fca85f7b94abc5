"""/api/hrims/workplaces: what waits; and …/map, …/register, …/unmap."""

from typing import Any

import pytest

from hrims.db import Connection
from tests.web.browsers import Browser
from tests.web.runs import error_of
from tests.web.workplaces import HEALTH, HOSPITAL, institution, institution_of, listed, waiting

PATH = "/api/hrims/workplaces"

ALIKE = pytest.approx(0.6, abs=0.1)


def audit(conn: Connection) -> Any:
    """Who did what last."""
    return conn.execute("SELECT actor, via, action FROM audit_log ORDER BY id DESC LIMIT 1").fetchone()


def test_it_works(api: Browser, conn: Connection) -> None:
    health, id_ = institution(conn), waiting(conn, "Wizara ya Afya na Ustawi")
    listed(conn, id_, health)
    other = waiting(conn, HOSPITAL, people=1)
    assert api.get(PATH).get_json() == {
        "workplaces": [
            {
                "id": id_,
                "name": "Wizara ya Afya na Ustawi",
                "people": 3,
                "listedBy": [
                    {
                        "institutionId": health,
                        "institutionName": HEALTH,
                        "identifierType": "votecode",
                        "identifier": "001",
                        "people": 3,
                        "firstJobId": "7",
                        "lastJobId": "7",
                    }
                ],
                "suggestions": [
                    {"institutionId": health, "institutionName": HEALTH, "likeness": ALIKE}
                ],
            },
            {"id": other, "name": HOSPITAL, "people": 1, "listedBy": [], "suggestions": []},
        ],
        "page": 1,
        "pageSize": 50,
        "total": 2,
        "people": 4,
    }  # fmt: skip
    second = api.get(f"{PATH}?page=2&pageSize=1").get_json()
    assert ([one["id"] for one in second["workplaces"]], second["total"]) == ([other], 2)
    assert [one["id"] for one in api.get(f"{PATH}?name=pwani").get_json()["workplaces"]] == [other]


def test_one_is_mapped_and_taken_back(api: Browser, conn: Connection) -> None:
    health, id_ = institution(conn), waiting(conn)
    answer = api.post(f"{PATH}/{id_}/map", json={"institutionId": health})
    assert (answer.status_code, answer.get_json()) == (
        200,
        {
            "success": True,
            "message": f"“{HOSPITAL}” is mapped to {HEALTH}. People moved: 3.",
            "workplaceId": id_,
            "workplaceName": HOSPITAL,
            "institutionId": health,
            "institutionName": HEALTH,
            "moved": 3,
        },
    )
    assert institution_of(conn, id_) == [(HEALTH, 3)]
    assert audit(conn) == ("token:nightly", "api", "workplace.map")
    assert error_of(api.post(f"{PATH}/{id_}/map", json={"institutionId": health})) == (409, "already_mapped")
    answer = api.post(f"{PATH}/{id_}/unmap")
    assert (answer.status_code, answer.get_json()["moved"], answer.get_json()["institutionId"]) == (
        200,
        3,
        None,
    )
    assert institution_of(conn, id_) == [(None, 3)]
    assert audit(conn) == ("token:nightly", "api", "workplace.unmap")
    assert error_of(api.post(f"{PATH}/{id_}/unmap")) == (409, "not_mapped")


def test_one_is_registered(api: Browser, conn: Connection) -> None:
    id_ = waiting(conn)
    answer = api.post(f"{PATH}/{id_}/register", json={"voteNumber": "050", "tinNumber": "123456789"})
    assert (answer.status_code, answer.get_json()["institutionName"], answer.get_json()["moved"]) == (
        201,
        HOSPITAL,
        3,
    )
    register = api.get("/api/hrims/institutions").get_json()["institutions"]
    assert [(one["name"], one["voteNumber"], one["tinNumber"]) for one in register] == [
        (HOSPITAL, "050", "123456789")
    ]
    assert audit(conn) == ("token:nightly", "api", "workplace.register")
    other = waiting(conn, "Bodi")
    assert api.post(f"{PATH}/{other}/register", json={"name": "BODI YA MIKOPO"}).status_code == 201
    assert institution_of(conn, other) == [("BODI YA MIKOPO", 3)]


@pytest.mark.parametrize(
    ("path", "body", "error"),
    [
        ("1/map", {}, (400, "bad_id")),
        ("1/map", {"institutionId": True}, (400, "bad_id")),
        ("1/map", {"institutionId": "1e3"}, (400, "bad_id")),
        ("1/map", {"institutionId": 2**63}, (400, "bad_id")),
        ("1/map", {"institutionId": 4711}, (404, "unknown_institution")),
        ("1/map", [1], (400, "not_json")),
        ("1/register", {"name": "Wizara\0"}, (400, "not_json")),
        ("x/map", {"institutionId": 1}, (400, "bad_id")),
        ("4711/map", {"institutionId": 1}, (404, "unknown_workplace")),
        ("1/register", {"voteNumber": 50}, (400, "bad_text")),
        ("1/register", {"voteNumber": "L"}, (400, "bad_number")),
        ("1/register", {"tinNumber": "1"}, (400, "bad_number")),
        ("1/register", {"name": "A\nB"}, (400, "bad_name")),
        ("1/register", {"name": " . "}, (422, "nameless")),
        ("1/register", {"name": "wizara ya AFYA"}, (409, "name_taken")),
        ("1/register", {"voteNumber": "001"}, (409, "number_taken")),
        ("4711/register", {}, (404, "unknown_workplace")),
        ("4711/unmap", {}, (404, "unknown_workplace")),
        ("1/unmap", {}, (409, "not_mapped")),
    ],
)
def test_refusals(api: Browser, conn: Connection, path: str, body: Any, error: tuple[int, str]) -> None:
    institution(conn)
    assert waiting(conn) == 1
    assert error_of(api.post(f"{PATH}/{path}", json=body)) == error
    assert conn.execute("SELECT count(*) FROM institutions").fetchone() == (1,)
    assert institution_of(conn, 1) == [(None, 3)]


@pytest.mark.parametrize("query", ["page=0", "page=x", "page=-1", "pageSize=201", "pageSize=0", "page=²"])
def test_pages_that_are_none(api: Browser, query: str) -> None:
    code = "bad_page_size" if query.startswith("pageSize") else "bad_page"
    assert error_of(api.get(f"{PATH}?{query}")) == (400, code)


def test_who_may_not(client: Browser, officer: Browser, api: Browser) -> None:
    assert error_of(client.get(PATH)) == (401, "not_signed_in")
    assert error_of(officer.post(f"{PATH}/1/unmap")) == (400, "csrf")
    assert error_of(api.post(f"{PATH}/1/map", data="{")) == (400, "not_json")
