"""/dashboard/admin/fetch-data: the page, its fragments and its buttons."""

import re
from typing import Any

import pytest

from hrims.db import Connection
from tests.web.browsers import Browser
from tests.web.runs import end_run, enqueue_run_of, institution

PATH = "/dashboard/admin/fetch-data"


def text(answer: Any) -> str:
    """Return the page's HTML."""
    html: str = answer.get_data(as_text=True)
    return html


def test_it_works(officer: Browser, health: int) -> None:
    answer = officer.get(PATH)
    assert answer.status_code == 200
    assert f'<option value="{health}"' in text(answer)
    assert "Fetch by Vote Code" not in text(answer)


def test_the_chosen_institution_has_its_buttons(officer: Browser, health: int) -> None:
    page = text(officer.get(f"{PATH}?institution={health}#run"))
    assert "Fetch by Vote Code" in page
    assert "Fetch by TIN" in page
    assert "disabled" not in page


def test_a_button_is_off_with_a_reason_where_the_number_is_missing(
    officer: Browser, conn: Connection
) -> None:
    conn.execute("INSERT INTO institutions (name, vote_code) VALUES ('OFISI YA RAIS - IKULU', '033')")
    page = text(officer.get(f"{PATH}?institution=1"))
    assert page.count("disabled") == 1
    assert "The register has no TIN for this institution." in page


def test_a_button_queues_a_run_and_leads_to_it(officer: Browser, conn: Connection, health: int) -> None:
    answer = officer.press(PATH, institution=str(health), identifier_type="votecode", page_size="50")
    assert (answer.status_code, answer.location) == (303, f"{PATH}?institution={health}#run")
    run = conn.execute("SELECT identifier_type, page_size, requested_by, requested_via FROM runs").fetchone()
    assert run == ("votecode", 50, "asha", "page")
    assert "Run 1" in text(officer.get(answer.location))


def test_a_second_press_shows_the_run_under_way(officer: Browser, conn: Connection, health: int) -> None:
    enqueue_run_of(conn, health)
    answer = officer.press(PATH, institution=str(health), identifier_type="tin")
    assert "had already been requested" in text(officer.get(answer.location))
    assert conn.execute("SELECT count(*) FROM runs").fetchone() == (1,)


@pytest.mark.parametrize(
    ("wish", "status", "words"),
    [
        ({"institution": "999"}, 404, "no institution with this id"),
        ({"institution": "abc"}, 400, "Choose an institution first"),
        ({"institution": ""}, 400, "Choose an institution first"),
        ({"institution": "9" * 400}, 400, "Choose an institution first"),
        ({"identifier_type": "payroll"}, 400, "identifierType must be"),
        ({"page_size": "0"}, 400, "from 1 to 500"),
        ({"page_size": "501"}, 400, "from 1 to 500"),
        ({"page_size": "abc"}, 400, "from 1 to 500"),
    ],
)
def test_a_wrong_wish_is_refused_in_words(
    officer: Browser, conn: Connection, health: int, wish: dict[str, str], status: int, words: str
) -> None:
    answer = officer.press(PATH, **({"institution": str(health), "identifier_type": "votecode"} | wish))
    assert answer.status_code == status
    assert words in text(answer)
    assert conn.execute("SELECT count(*) FROM runs").fetchone() == (0,)


def test_a_form_without_its_token_is_refused(officer: Browser, conn: Connection, health: int) -> None:
    answer = officer.post(PATH, data={"institution": str(health), "identifier_type": "votecode"})
    assert answer.status_code == 400
    assert conn.execute("SELECT count(*) FROM runs").fetchone() == (0,)


def test_the_card_of_a_run_under_way_polls(officer: Browser, conn: Connection, health: int) -> None:
    answer = officer.get(f"{PATH}/runs/{enqueue_run_of(conn, health)}")
    assert answer.status_code == 200
    assert 'hx-trigger="every' in text(answer)


@pytest.mark.parametrize(
    ("state", "outcome", "words"),
    [
        ("completed", "complete", "Complete: all 0"),
        ("completed", "incomplete", "Incomplete"),
        ("failed", None, "Retry run"),
        ("cancelled", None, "Cancelled"),
    ],
)
def test_the_card_of_a_run_that_has_ended_stops(
    officer: Browser, conn: Connection, health: int, state: str, outcome: str | None, words: str
) -> None:
    run_id = end_run(conn, enqueue_run_of(conn, health), state, outcome)
    answer = officer.get(f"{PATH}/runs/{run_id}")
    assert answer.status_code == 286
    assert words in text(answer)
    assert "hx-trigger" not in text(answer)


def test_a_role_that_starts_no_runs_gets_no_button(auditor: Browser, health: int) -> None:
    choice = auditor.get(f"{PATH}/choice?institution={health}").text
    assert "Your role cannot start runs." in choice
    assert "<button" not in choice


def test_fragments_are_fragments(officer: Browser, conn: Connection, health: int) -> None:
    enqueue_run_of(conn, health)
    for path in (f"{PATH}/choice?institution={health}", f"{PATH}/runs/1", f"{PATH}/recent"):
        answer = officer.get(path)
        assert answer.status_code == 200, path
        assert "<html" not in text(answer), path
        assert "WIZARA YA AFYA" in text(answer), path


def test_the_list_of_runs_stops_polling_too(officer: Browser, conn: Connection, health: int) -> None:
    end_run(conn, enqueue_run_of(conn, health))
    answer = officer.get(f"{PATH}/recent")
    assert answer.status_code == 286
    assert "hx-trigger" not in text(answer)


def test_the_list_of_runs_has_no_count_for_a_waiting_run(
    officer: Browser, conn: Connection, health: int
) -> None:
    def people() -> str:
        found = re.search(r'<td class="number">(.*?)</td>', text(officer.get(f"{PATH}/recent")))
        assert found
        return found[1]

    run_id = enqueue_run_of(conn, health)
    assert people() == "—"
    conn.execute("UPDATE run_progress SET saved = 1200")
    assert people() == "1,200"
    end_run(conn, run_id, "failed", None)
    conn.execute("UPDATE run_progress SET saved = 0")
    assert people() == "0"


def test_cancel_and_retry_are_buttons(officer: Browser, conn: Connection, health: int) -> None:
    run_id = enqueue_run_of(conn, health)
    assert officer.press(f"{PATH}/runs/{run_id}/cancel").status_code == 303
    assert conn.execute("SELECT state FROM runs").fetchone() == ("cancelled",)
    assert officer.press(f"{PATH}/runs/{run_id}/retry").status_code == 303
    assert conn.execute("SELECT state FROM runs").fetchone() == ("waiting",)
    refused = officer.press(f"{PATH}/runs/{run_id}/retry")
    assert refused.status_code == 409
    assert "Only a failed or cancelled run" in text(refused)


def test_every_run_has_a_page(officer: Browser, conn: Connection, health: int) -> None:
    earlier = end_run(conn, enqueue_run_of(conn, health), "failed", None)
    later = end_run(conn, enqueue_run_of(conn, health))
    recent = text(officer.get(f"{PATH}?institution={health}#run"))
    for run_id in (earlier, later):
        assert f'href="/dashboard/admin/runs/{run_id}"' in recent
        assert f'aria-label="Run {run_id}"' in text(officer.get(f"/dashboard/admin/runs/{run_id}"))


def test_an_older_run_that_is_tried_again_is_shown(officer: Browser, conn: Connection, health: int) -> None:
    earlier = end_run(conn, enqueue_run_of(conn, health), "failed", None)
    end_run(conn, enqueue_run_of(conn, health))
    answer = officer.press(f"{PATH}/runs/{earlier}/retry")
    assert answer.location == f"/dashboard/admin/runs/{earlier}#run"


def test_an_unknown_run_is_not_found(officer: Browser) -> None:
    assert officer.get(f"{PATH}/runs/4711").status_code == 404
    assert officer.get(f"{PATH}/runs/abc").status_code == 400


def test_a_name_cannot_bring_markup_along(officer: Browser, conn: Connection) -> None:
    institution(conn, "<script>alert(1)</script>")
    assert "<script>alert" not in text(officer.get(f"{PATH}?institution=1"))
