"""GET /api/hrims/rejects."""

import pytest

from hrims.db import Connection
from tests.web.browsers import Browser
from tests.web.cases import add_case, met_by
from tests.web.runs import error_of, institution

HERE = "/api/hrims/rejects"


def test_it_works(api: Browser, conn: Connection) -> None:
    at = institution(conn)
    run = met_by(conn, at)
    case = add_case(conn, run)
    body = api.get(HERE).get_json()
    (shown,) = body.pop("rejects")
    assert body == {
        "success": True,
        "page": 1,
        "pageSize": 50,
        "pages": 1,
        "total": 1,
        "counts": {"open": 1, "closed": 0, "all": 1},
    }
    assert shown.pop("firstSeen")["jobId"] == shown.pop("lastSeen")["jobId"] == str(run)
    assert shown == {
        "id": case,
        "institutionId": at,
        "institutionName": "WIZARA YA AFYA",
        "identifierType": "votecode",
        "state": "open",
        "code": "bad_date",
        "field": "date_of_birth",
        "reason": "The date is not one that can be read.",
        "advice": "Have the date corrected in HRIMS.",
        "masked": "58•••••00",
        "name": "Asha Juma Makame",
        "payrollNumber": "963000",
        "workplace": "Wizara ya Afya",
        "record": 58,
        "lastPage": {"size": 100, "number": 0, "position": 57},
        "times": 3,
        "closed": None,
    }


def test_the_filter(api: Browser, conn: Connection) -> None:
    at, other = institution(conn), institution(conn, "WIZARA YA ELIMU", "002", "156255891")
    run, elsewhere = met_by(conn, at), met_by(conn, other, "002")
    one = add_case(conn, run, 1)
    two = add_case(conn, run, 2, "no_zan_id")
    tin = add_case(conn, run, 3, listing="tin")
    done = add_case(conn, run, 4, closed=True)
    far = add_case(conn, elsewhere, 1)

    def found(query: str) -> list[int]:
        return [case["id"] for case in api.get(f"{HERE}?{query}").get_json()["rejects"]]

    assert found("") == [far, tin, two, one]
    assert found(f"institutionId={at}") == [tin, two, one]
    assert found(f"institutionId={at}&identifierType=votecode") == [two, one]
    assert found("code=no_zan_id") == [two]
    assert found("state=closed") == [done]
    assert found("state=all") == [far, tin, two, one, done]
    assert found("pageSize=3&page=1") == [far, tin, two]
    assert found("pageSize=3&page=2") == [one]
    assert found("page=3") == []
    assert found("institutionId=&code=&unknown=1") == [far, tin, two, one]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("institutionId=x", "bad_institution_id"),
        ("institutionId=0", "bad_institution_id"),
        ("institutionId=99999999999999999999", "bad_institution_id"),
        ("identifierType=name", "bad_identifier_type"),
        ("code=nonsense", "bad_code"),
        ("state=ajar", "bad_state"),
        ("page=0", "bad_page"),
        ("page=-1", "bad_page"),
        ("page=1e3", "bad_page"),
        ("pageSize=501", "bad_page_size"),
        ("code=%00", "invalid_input"),
    ],
)
def test_refusals(api: Browser, query: str, code: str) -> None:
    assert error_of(api.get(f"{HERE}?{query}")) == (400, code)
