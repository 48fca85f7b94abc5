"""/dashboard/admin/compare and GET /api/hrims/compare."""

import pytest

from hrims.db import Connection
from tests.database import previews
from tests.support.people import record
from tests.web.browsers import Browser
from tests.web.runs import enqueue_run_of, error_of, institution
from tests.web.test_previews import do, text

PATH = "/dashboard/admin/compare"
API = "/api/hrims/compare"


@pytest.fixture
def runs(dsn: str, conn: Connection, health: int) -> tuple[int, int]:
    """Two runs: 30 people, then 28 of them, one of them changed, and a new one."""
    before = [record(n) for n in range(30)]
    now = [record(n, lastName="Ali" if n == 5 else "Makame") for n in range(2, 31)]
    a = do(dsn, lambda pool: previews.fetch(conn, pool, health, before, "sync"))
    b = do(dsn, lambda pool: previews.fetch(conn, pool, health, now, "sync"))
    return a, b


def test_it_works(officer: Browser, runs: tuple[int, int]) -> None:
    a, b = runs
    answer = officer.get(f"{PATH}?a={a}&b={b}")
    assert answer.status_code == 200
    page = text(answer)
    assert f"WIZARA YA AFYA: from run {a} to run {b}" in page
    for words in ("Changed 1", f"Only in run {a} 2", f"Only in run {b} 1", "In both 28"):
        assert words in page, words
    assert "58•••••05 Asha Mtu 5 Ali Name Asha Mtu 5 Makame Asha Mtu 5 Ali" in page
    assert text(officer.get(f"{PATH}?a={b}&b={a}")).count(f"from run {a} to run {b}") == 1


@pytest.mark.parametrize(("kind", "zan_id"), [("only_a", "580330000"), ("only_b", "580330030")])
def test_every_kind_has_its_table(
    administrator: Browser, runs: tuple[int, int], kind: str, zan_id: str
) -> None:
    page = text(administrator.get(f"{PATH}?a={runs[0]}&b={runs[1]}&kind={kind}"))
    assert zan_id in page
    assert "580330009" not in page


def test_tables_have_pages(officer: Browser, runs: tuple[int, int]) -> None:
    address = f"{PATH}?a={runs[0]}&b={runs[1]}&kind=both"
    first = officer.get(address).get_data(as_text=True)
    second = officer.get(f"{address}&page=2").get_data(as_text=True)
    assert (first.count("<td>58•••••"), second.count("<td>58•••••")) == (25, 3)
    assert f"a={runs[0]}&amp;b={runs[1]}&amp;kind=both&amp;page=2" in first


def test_the_picker_leads_there(officer: Browser, runs: tuple[int, int], health: int) -> None:
    assert "Select an institution" in text(officer.get(PATH))
    page = officer.get(f"{PATH}?institution={health}").get_data(as_text=True)
    a, b = runs
    assert page.count(f'<option value="{a}" selected>Run {a},') == 1
    assert page.count(f'<option value="{b}" selected>Run {b},') == 1
    page = officer.get(f"{PATH}?institution={health}&b={a}").get_data(as_text=True)
    assert page.count(f'<option value="{a}" selected>Run {a},') == 1
    assert f'href="{PATH}?institution={health}&amp;b={b}"' in officer.get(
        "/dashboard/admin/fetch-data"
    ).get_data(as_text=True)


def test_an_institution_without_two_runs_says_so(officer: Browser, conn: Connection, health: int) -> None:
    assert "no finished runs" in text(officer.get(f"{PATH}?institution={health}"))
    assert officer.get(f"{PATH}?institution=999").status_code == 200
    assert officer.get(f"{PATH}?institution=x&a=y").status_code == 200


def test_refusals_are_said_on_the_page(
    officer: Browser, dsn: str, conn: Connection, runs: tuple[int, int], health: int
) -> None:
    a, b = runs
    preview = do(dsn, lambda pool: previews.fetch(conn, pool, health, [record(1)]))
    other = institution(conn, "TUME", "037", "129673100")
    elsewhere = do(dsn, lambda pool: previews.fetch(conn, pool, other, [record(1)], "sync", vote="037"))
    waiting = enqueue_run_of(conn, health)
    for params, status, words in (
        (a, 400, "two different runs"),
        (4711, 404, "no run 4711"),
        ("x", 400, "numbers of two runs"),
        (preview, 422, "is a preview"),
        (elsewhere, 422, "Only runs of one institution"),
        (waiting, 409, "has not ended yet"),
        (f"{b}&kind=all", 400, "kind must be one of"),
        (f"{b}&page=0", 400, "page must be"),
    ):
        answer = officer.get(f"{PATH}?a={a}&b={params}")
        assert (answer.status_code, words in text(answer)) == (status, True), (params, text(answer))


def test_an_auditor_can_read(auditor: Browser, runs: tuple[int, int]) -> None:
    assert auditor.get(f"{PATH}?a={runs[0]}&b={runs[1]}").status_code == 200


class TestApi:
    """The same for machines."""

    def test_it_works(self, api: Browser, runs: tuple[int, int]) -> None:
        body = api.get(f"{API}?a={runs[0]}&b={runs[1]}").get_json()
        assert body["counts"] == {"changed": 1, "only_a": 2, "only_b": 1, "both": 28}
        assert (body["a"]["jobId"], body["b"]["people"]) == (str(runs[0]), 29)
        assert "rows" not in body

    def test_rows_come_by_kind_and_page(self, api: Browser, runs: tuple[int, int]) -> None:
        body = api.get(f"{API}?a={runs[0]}&b={runs[1]}&kind=changed").get_json()
        assert body["rows"] == [
            {
                "zanId": "580330005",
                "name": "Asha Mtu 5 Ali",
                "changes": {"name": ["Asha Mtu 5 Makame", "Asha Mtu 5 Ali"]},
            }
        ]
        assert (body["page"], body["next"]) == (1, None)
        assert api.get(f"{API}?a={runs[0]}&b={runs[1]}&kind=both&page=2").get_json()["rows"] == []

    def test_refusals(self, api: Browser, client: Browser, conn: Connection, runs: tuple[int, int]) -> None:
        a, b = runs
        waiting = enqueue_run_of(conn, 1)
        assert error_of(client.get(f"{API}?a={a}&b={b}")) == (401, "not_signed_in")
        for params, error in (
            ("", (400, "bad_job_id")),
            ("a=1", (400, "bad_job_id")),
            (f"a={a}&b=x", (400, "bad_job_id")),
            (f"a={a}&b={a}", (400, "same_run")),
            (f"a={a}&b=4711", (404, "unknown_job")),
            (f"a={a}&b={waiting}", (409, "under_way")),
            (f"a={a}&b={b}&kind=all", (400, "bad_kind")),
            (f"a={a}&b={b}&page=x", (400, "bad_page")),
        ):
            assert error_of(api.get(f"{API}?{params}")) == error, params
