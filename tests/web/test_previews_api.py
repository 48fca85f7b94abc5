"""GET /api/hrims/previews/<jobId>, POST …/apply and …/discard."""

import pytest

from hrims.db import Connection
from hrims.jobs import control
from tests.database import previews
from tests.support.people import record
from tests.support.users import ASHA
from tests.web.browsers import Browser
from tests.web.runs import enqueue_run_of, error_of, fetch_body
from tests.web.test_previews import do

PATH = "/api/hrims/previews"
FETCH = "/api/hrims/fetch-by-institution"


@pytest.fixture
def preview(dsn: str, conn: Connection, health: int) -> int:
    """Provide a preview of 120 new people and a reject."""
    records = [record(n) for n in range(120)] + [record(1, zanIdNumber=" ")]
    made: int = do(dsn, lambda pool: previews.fetch(conn, pool, health, records))
    return made


def test_it_works(api: Browser, preview: int) -> None:
    body = api.get(f"{PATH}/{preview}").get_json()
    assert (body["success"], body["jobId"], body["state"], body["outcome"]) == (
        True, str(preview), "completed", "complete",
    )  # fmt: skip
    none = ("changed", "unchanged", "transfers", "returning", "missing", "unmatched")
    assert body["counts"] == {"new": 120, "rejected": 1} | dict.fromkeys(none, 0)
    assert (body["kept"], body["emptied"], body["applyJobId"], body["changedSince"]) == (True, None, None, [])
    assert body["version"]
    assert "rows" not in body


def test_rows_come_by_kind_and_page(api: Browser, preview: int) -> None:
    first = api.get(f"{PATH}/{preview}?kind=new").get_json()
    assert len(first["rows"]) == 100
    assert first["rows"][0] == {
        "zanId": "580330000", "name": "Asha Mtu 0 Makame", "cadre": "Afisa Mipango II",
        "workplace": "Wizara ya Afya", "status": "Confirmed", "changes": {}, "fromInstitution": None,
        "institution": "WIZARA YA AFYA", "moves": False,
    }  # fmt: skip
    second = api.get(first["next"]).get_json()
    assert (second["page"], len(second["rows"]), second["next"]) == (2, 20, None)
    rejected = api.get(f"{PATH}/{preview}?kind=rejected").get_json()["rows"]
    assert [(one["record"], one["code"]) for one in rejected] == [(121, "no_zan_id")]
    assert rejected[0]["name"]
    assert rejected[0].keys() >= {"payrollNumber", "workplace"}


def test_one_is_asked_for_with_a_flag(api: Browser, conn: Connection, health: int) -> None:
    answer = api.post(FETCH, json=fetch_body(health, preview=True))
    assert answer.status_code == 202
    assert answer.get_json()["previewUrl"] == f"{PATH}/1"
    assert conn.execute("SELECT kind FROM runs").fetchall() == [("preview",)]
    body = api.get(f"{PATH}/1").get_json()
    assert (body["state"], body["counts"], body["version"]) == ("waiting", None, None)
    again = api.post(FETCH, json=fetch_body(health, preview=True))
    assert (again.status_code, again.get_json()["deduplicated"]) == (200, True)
    assert error_of(api.post(FETCH, json=fetch_body(health))) == (409, "under_way")


def test_without_the_flag_it_is_a_run_as_ever(api: Browser, conn: Connection, health: int) -> None:
    answer = api.post(FETCH, json=fetch_body(health, preview=False))
    assert "previewUrl" not in answer.get_json()
    assert conn.execute("SELECT kind FROM runs").fetchall() == [("sync",)]
    assert error_of(api.post(FETCH, json=fetch_body(health, preview=True))) == (409, "under_way")


@pytest.mark.parametrize("flag", ["yes", 1, [], {}])
def test_a_flag_that_is_none_is_refused(api: Browser, conn: Connection, health: int, flag: object) -> None:
    assert error_of(api.post(FETCH, json=fetch_body(health, preview=flag))) == (400, "bad_preview")
    assert conn.execute("SELECT count(*) FROM runs").fetchone() == (0,)


def test_the_status_of_a_preview_has_no_employees(api: Browser, preview: int) -> None:
    result = api.get(f"/api/hrims/job-status/{preview}").get_json()["result"]
    assert (result["employeeCount"], result["new"], result["employees"]) == (120, 120, [])


def test_apply(api: Browser, dsn: str, conn: Connection, preview: int) -> None:
    version = api.get(f"{PATH}/{preview}").get_json()["version"]
    answer = api.post(f"{PATH}/{preview}/apply", json={"version": version})
    assert answer.status_code == 202
    body = answer.get_json()
    assert body["statusUrl"] == f"/api/hrims/sync-status/{body['jobId']}"
    again = api.post(f"{PATH}/{preview}/apply", json={"version": version})
    assert (again.status_code, again.get_json()["deduplicated"]) == (200, True)
    assert api.get(f"{PATH}/{preview}").get_json()["applyJobId"] == body["jobId"]
    do(dsn, lambda pool: previews.carry_out(conn, pool, int(body["jobId"])))
    result = api.get(f"/api/hrims/job-status/{body['jobId']}").get_json()["result"]
    assert (result["outcome"], result["new"], len(result["employees"])) == ("complete", 120, 10)
    shown = api.get(f"{PATH}/{preview}").get_json()
    assert (shown["kept"], shown["emptied"], shown["counts"]) == (False, "applied", None)
    assert error_of(api.post(f"{PATH}/{preview}/apply", json={"version": version})) == (409, "applied")
    assert error_of(api.post(f"{PATH}/{preview}/discard")) == (409, "applied")


def test_discard(api: Browser, conn: Connection, preview: int) -> None:
    answer = api.post(f"{PATH}/{preview}/discard")
    assert (answer.status_code, answer.get_json()["success"]) == (200, True)
    assert conn.execute("SELECT count(*) FROM preview_people").fetchone() == (0,)
    assert api.get(f"{PATH}/{preview}").get_json()["emptied"] == "thrown_away"
    assert error_of(api.post(f"{PATH}/{preview}/discard")) == (409, "thrown_away")
    assert error_of(api.post(f"{PATH}/{preview}/apply", json={"version": "x"})) == (409, "thrown_away")


def test_another_difference_is_refused(api: Browser, conn: Connection, preview: int) -> None:
    version = api.get(f"{PATH}/{preview}").get_json()["version"]
    conn.execute(
        "INSERT INTO employees (zan_id, status, first_run_id, last_changed_run_id)"
        " VALUES ('580330005', 'Confirmed', 1, 1)"
    )
    answer = api.post(f"{PATH}/{preview}/apply", json={"version": version})
    assert error_of(answer) == (409, "changed_since")
    assert answer.get_json()["message"] == (
        "The employees have changed since this preview was read. Nothing was applied. "
        "Read it again, check the difference and apply its version."
    )
    assert api.get(f"{PATH}/{preview}").get_json()["changedSince"] == ["Some of these people changed since."]
    assert conn.execute("SELECT count(*) FROM runs WHERE kind = 'apply'").fetchone() == (0,)


def test_what_is_not_there_is_refused(api: Browser, conn: Connection, preview: int, health: int) -> None:
    sync = enqueue_run_of(conn, health)
    assert error_of(api.get(f"{PATH}/{sync}")) == (404, "no_preview")
    assert error_of(api.get(f"{PATH}/4711")) == (404, "unknown_job")
    assert error_of(api.get(f"{PATH}/abc")) == (400, "bad_job_id")
    assert error_of(api.get(f"{PATH}/{preview}?kind=all")) == (400, "bad_kind")
    assert error_of(api.get(f"{PATH}/{preview}?kind=new&page=0")) == (400, "bad_page")
    for run_id, error in (("4711", (404, "unknown_job")), (sync, (404, "no_preview"))):
        assert error_of(api.post(f"{PATH}/{run_id}/apply", json={"version": "x"})) == error
        assert error_of(api.post(f"{PATH}/{run_id}/discard")) == error
    version = api.get(f"{PATH}/{preview}").get_json()["version"]
    under_way = api.post(f"{PATH}/{preview}/apply", json={"version": version})
    assert error_of(under_way) == (409, "under_way")
    control.cancel(conn, ASHA, sync)
    assert api.post(f"{PATH}/{preview}/apply", json={"version": version}).status_code == 202


@pytest.mark.parametrize(
    ("body", "code"),
    [(b"", "not_json"), (b"[]", "not_json"), (b"{}", "bad_version"), (b'{"version": 1}', "bad_version")],
)
def test_a_wish_to_apply_that_says_not_what_is_refused(
    api: Browser, conn: Connection, preview: int, body: bytes, code: str
) -> None:
    assert error_of(api.post(f"{PATH}/{preview}/apply", data=body)) == (400, code)
    assert conn.execute("SELECT count(*) FROM runs").fetchone() == (1,)


def test_who_may_not_is_refused(
    auditor: Browser, client: Browser, officer: Browser, conn: Connection, preview: int
) -> None:
    assert error_of(client.get(f"{PATH}/{preview}")) == (401, "not_signed_in")
    assert auditor.get(f"{PATH}/{preview}").status_code == 200
    token = {"X-CSRFToken": auditor.csrf()}
    for deed in ("apply", "discard"):
        assert error_of(client.post(f"{PATH}/{preview}/{deed}")) == (401, "not_signed_in")
        assert error_of(officer.post(f"{PATH}/{preview}/{deed}")) == (400, "csrf")
        assert error_of(auditor.post(f"{PATH}/{preview}/{deed}", headers=token)) == (403, "not_allowed")
    assert conn.execute("SELECT count(*) FROM preview_people").fetchone() == (120,)
