"""/dashboard/admin/previews: the page of a preview and its buttons."""

import asyncio
import re
from typing import Any

import pytest
from psycopg_pool import AsyncConnectionPool

from hrims.db import AsyncPool, Connection
from hrims.jobs import control
from hrims.previews import store
from tests.database import previews
from tests.support.people import record
from tests.support.users import ASHA
from tests.web.browsers import Browser
from tests.web.runs import enqueue_run_of, institution

FETCH = "/dashboard/admin/fetch-data"
PATH = "/dashboard/admin/previews"


def text(answer: Any) -> str:
    """Return the page's words, without its markup."""
    return " ".join(re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True)).split())


def do(dsn: str, work: Any) -> Any:
    """Return what a worker would do: ``work`` gets a pool."""

    async def run() -> Any:
        pool: AsyncPool
        async with AsyncConnectionPool(dsn, min_size=1, max_size=2, open=False) as pool:
            return await work(pool)

    return asyncio.run(run())


@pytest.fixture
def preview(dsn: str, conn: Connection, health: int) -> int:
    """Provide a preview of 30 people: 27 new, one each changed, unchanged, elsewhere, missing, rejected."""
    institution(conn, "WIZARA YA ELIMU", "002", "156255891")
    before = [record(n) for n in range(4)]
    now = [
        record(0),
        record(1, lastName="Ali"),
        record(2, workplace="Wizara ya Elimu"),
        *(record(n, workplace="Pengine") for n in range(10, 37)),
        record(5, birthDate="soon"),
    ]
    do(dsn, lambda pool: previews.fetch(conn, pool, health, before, "sync"))
    made: int = do(dsn, lambda pool: previews.fetch(conn, pool, health, now))
    return made


def version_on(answer: Any) -> str:
    """Return the version that the Apply form of this page carries."""
    found = re.search(r'name="version" value="([^"]+)"', answer.get_data(as_text=True))
    assert found
    return found[1]


def test_it_works(officer: Browser, preview: int) -> None:
    answer = officer.get(f"{PATH}/{preview}")
    assert answer.status_code == 200
    page = text(answer)
    assert "Preview. Complete: all 31 that HRIMS lists are accounted for. Nothing was changed by it." in page
    for words in ("New 27", "Changed 2", "Unchanged 1", "Transfers 1", "Missing 1", "Rejected 1"):
        assert words in page, words
    assert "Without an institution 27" in page
    assert "changed since" not in page


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("new", "58•••••10 Asha Mtu 10 Makame"),
        ("changed", "58•••••01 Asha Mtu 1 Ali Name Asha Mtu 1 Makame Asha Mtu 1 Ali"),
        ("unchanged", "58•••••00 Asha Mtu 0 Makame"),
        ("transfers", "58•••••02 Asha Mtu 2 Makame WIZARA YA AFYA WIZARA YA ELIMU"),
        ("missing", "58•••••03 Asha Mtu 3 Makame"),
        (
            "rejected",
            "31 Asha Mtu 5 Makame payroll number •••••• Wizara ya Afya 58•••••05 date of birth The date is",
        ),
        ("unmatched", "Pengine 27"),
    ],
)
def test_every_kind_has_its_table(officer: Browser, preview: int, kind: str, words: str) -> None:
    page = text(officer.get(f"{PATH}/{preview}?kind={kind}"))
    assert words in page
    assert "58033" not in page


def test_a_user_with_the_right_sees_no_masks(administrator: Browser, preview: int) -> None:
    assert "580330010 Asha Mtu 10 Makame" in text(administrator.get(f"{PATH}/{preview}?kind=new"))
    assert "payroll number 963005" in text(administrator.get(f"{PATH}/{preview}?kind=rejected"))


def test_tables_have_pages(officer: Browser, preview: int) -> None:
    first = officer.get(f"{PATH}/{preview}?kind=new").get_data(as_text=True)
    second = officer.get(f"{PATH}/{preview}?kind=new&page=2").get_data(as_text=True)
    assert (first.count("<td>58•••••"), second.count("<td>58•••••")) == (25, 2)
    assert 'rel="next"' in first
    assert 'rel="prev"' in second
    assert 'rel="next"' not in second
    assert "Nothing on this page" in text(officer.get(f"{PATH}/{preview}?kind=new&page=3"))


def test_a_button_asks_for_one_and_leads_to_it(officer: Browser, conn: Connection, health: int) -> None:
    answer = officer.press(f"{FETCH}/preview", institution=str(health), identifier_type="votecode")
    assert (answer.status_code, answer.location) == (303, f"{PATH}/1#run")
    assert conn.execute("SELECT kind, page_size, requested_by FROM runs").fetchall() == [
        ("preview", 100, "asha")
    ]
    page = officer.get(answer.location)
    assert "Waiting" in text(page)
    assert "run-ended" in page.get_data(as_text=True)
    again = officer.press(f"{FETCH}/preview", institution=str(health), identifier_type="votecode")
    assert again.location == answer.location


def test_a_wish_for_one_is_refused_in_words(officer: Browser, conn: Connection, health: int) -> None:
    answer = officer.press(f"{FETCH}/preview", institution=str(health), identifier_type="payroll")
    assert answer.status_code == 400
    enqueue_run_of(conn, health)
    answer = officer.press(f"{FETCH}/preview", institution=str(health), identifier_type="votecode")
    assert answer.status_code == 409
    assert "another run under way" in text(answer)


def test_apply_queues_the_run_and_leads_to_it(officer: Browser, conn: Connection, preview: int) -> None:
    version = version_on(officer.get(f"{PATH}/{preview}"))
    answer = officer.press(f"{PATH}/{preview}/apply", version=version)
    assert answer.status_code == 303
    assert conn.execute("SELECT of_run_id, state FROM runs WHERE kind = 'apply'").fetchall() == [
        (preview, "waiting")
    ]
    assert f"Run {preview + 1} by vote code" in text(officer.get(answer.location))
    assert "is being applied" in text(officer.get(f"{PATH}/{preview}"))
    assert officer.press(f"{PATH}/{preview}/apply", version=version).status_code == 303


def test_applied_it_says_so(officer: Browser, dsn: str, conn: Connection, preview: int) -> None:
    run_id = previews.approve(conn, preview).run_id
    do(dsn, lambda pool: previews.carry_out(conn, pool, run_id))
    assert f"was applied by run {run_id}" in text(officer.get(f"{PATH}/{preview}"))
    assert f"This run applied preview {preview}" in text(officer.get(f"{FETCH}/runs/{run_id}"))
    answer = officer.press(f"{PATH}/{preview}/apply", version="x")
    assert answer.status_code == 409
    assert "applied already" in text(answer)


def test_a_changed_difference_is_shown_again_and_not_applied(
    officer: Browser, conn: Connection, preview: int
) -> None:
    seen = version_on(officer.get(f"{PATH}/{preview}"))
    conn.execute("UPDATE employees SET name = 'Asha Mtu 1 Ali' WHERE zan_id = '580330001'")
    answer = officer.press(f"{PATH}/{preview}/apply", version=seen)
    assert answer.status_code == 409
    page = text(answer)
    assert "The employees have changed since this page was shown; here is the current difference." in page
    assert "Some of these people changed since." in page
    assert "Changed 1" in page
    assert conn.execute("SELECT count(*) FROM runs WHERE kind = 'apply'").fetchone() == (0,)
    assert officer.press(f"{PATH}/{preview}/apply", version=version_on(answer)).status_code == 303


def test_an_apply_that_stopped_is_said(officer: Browser, conn: Connection, preview: int) -> None:
    run_id = previews.approve(conn, preview).run_id
    control.cancel(conn, ASHA, run_id)
    page = officer.get(f"{PATH}/{preview}")
    assert f"Run {run_id} applied this preview in part." in text(page)
    assert officer.press(f"{PATH}/{preview}/apply", version=version_on(page)).status_code == 303
    assert conn.execute("SELECT state FROM runs WHERE id = %s", (run_id,)).fetchone() == ("waiting",)


def test_throw_away(officer: Browser, conn: Connection, preview: int) -> None:
    answer = officer.press(f"{PATH}/{preview}/discard")
    assert (answer.status_code, answer.location) == (303, f"{PATH}/{preview}")
    page = text(officer.get(answer.location))
    assert "This preview was discarded" in page
    assert "580330010" not in page
    assert conn.execute("SELECT count(*) FROM preview_people").fetchone() == (0,)
    assert officer.press(f"{PATH}/{preview}/discard").status_code == 409


def test_one_that_failed_can_be_thrown_away(officer: Browser, conn: Connection, health: int) -> None:
    run_id = previews.queue(conn, health)
    assert officer.press(f"{PATH}/{run_id}/discard").status_code == 409
    control.cancel(conn, ASHA, run_id)
    page = text(officer.get(f"{PATH}/{run_id}"))
    assert "It was a preview; nothing was changed." in page
    assert "Discard preview" in page
    assert officer.press(f"{PATH}/{run_id}/discard").status_code == 303
    assert "discarded" in text(officer.get(f"{PATH}/{run_id}"))


def test_the_list_of_runs_leads_to_it(officer: Browser, preview: int) -> None:
    assert f'href="{PATH}/{preview}"' in officer.get(FETCH).get_data(as_text=True)


def test_refusals(officer: Browser, client: Browser, conn: Connection, preview: int) -> None:
    sync = preview - 1
    assert officer.get(f"{PATH}/{sync}").status_code == 404
    assert officer.get(f"{PATH}/4711").status_code == 404
    assert officer.get(f"{PATH}/abc").status_code == 400
    assert officer.get(f"{PATH}/{preview}?kind=all").status_code == 400
    for page in ("0", "-1", "x", "9" * 20):
        assert officer.get(f"{PATH}/{preview}?page={page}").status_code == 400
    assert client.get(f"{PATH}/{preview}").status_code == 303
    for deed in ("apply", "discard"):
        assert officer.post(f"{PATH}/{preview}/{deed}").status_code == 400
        assert officer.press(f"{PATH}/{sync}/{deed}").status_code == 404
        assert officer.press(f"{PATH}/4711/{deed}").status_code == 404
        assert officer.get(f"{PATH}/{preview}/{deed}").status_code == 405
    assert officer.press(f"{PATH}/{preview}/apply").status_code == 409
    assert store.compare(conn, preview).new == 27
    assert conn.execute("SELECT count(*) FROM runs").fetchone() == (2,)


def test_an_auditor_looks_and_decides_nothing(auditor: Browser, conn: Connection, preview: int) -> None:
    page = auditor.get(f"{PATH}/{preview}")
    assert "New 27" in text(page)
    assert "Apply preview" not in text(page)
    for deed in ("apply", "discard"):
        assert auditor.press(f"{PATH}/{preview}/{deed}", version="x").status_code == 403
    assert conn.execute("SELECT count(*) FROM preview_people").fetchone() == (30,)
