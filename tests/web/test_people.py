"""The pages of people: search, one person, and asking HRIMS for one."""

import logging

import psycopg
import pytest

from hrims.db import Connection
from hrims.jobs.enqueue_person import enqueue_person
from hrims.people import store
from hrims.web.pages import people as people_page
from tests.database.lists import Lists
from tests.support.people import record
from tests.support.users import ASHA
from tests.web.browsers import Browser
from tests.web.lists import with_lists
from tests.web.runs import end_run, enqueue_run_of, institution

PAGE = "/dashboard/admin/people"


def search(browser: Browser, words: str) -> str:
    """Return what a search shows."""
    answer = browser.press(PAGE, words=words)
    assert answer.status_code == 303, answer.text
    page = browser.get(answer.location)
    assert page.status_code == 200
    return page.text


@pytest.fixture
def people(conn: Connection, dsn: str) -> None:
    """Three people; one changed and one left."""

    async def story(lists: Lists) -> None:
        others = range(100, 120)
        await lists.run([1, 2, record(3, firstName="Juma", middleName="", lastName="Haji Ali"), *others])
        await lists.run([record(1, lastName="Ali", primaryPhone="0770000000"), 2, *others])
        await lists.run([record(1, lastName="Ali", primaryPhone="0770000000"), 2, *others])

    with_lists(conn, dsn, story)


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("580330001", ["Asha Mtu 1 Ali"]),
        ("  963003 ", ["Juma Haji Ali"]),
        ("juma", ["Juma Haji Ali"]),
        ("JUMA  haj", ["Juma Haji Ali"]),
        ("ali", ["Asha Mtu 1 Ali", "Juma Haji Ali"]),
        ("ali ju", ["Juma Haji Ali"]),
        ("asha al", ["Asha Mtu 1 Ali"]),
        ("asha mtu 2", ["Asha Mtu 2 Makame"]),
        ("58033000", []),
        ("%", []),
        ("_sha", []),
        ("\\", []),
    ],
)
def test_search_finds(officer: Browser, people: None, words: str, names: list[str]) -> None:
    page = search(officer, words)
    for name in ("Asha Mtu 1 Ali", "Asha Mtu 2 Makame", "Juma Haji Ali"):
        assert (f">{name}</a>" in page) == (name in names), page
    assert ("No person found" in page) == (not names)


def test_a_near_spelling_is_marked(officer: Browser, people: None) -> None:
    page = search(officer, "Jumma Hajji")
    assert "No name matches. These names are similar." in page
    assert page.index("Juma Haji Ali") < page.index("similar name</span>")
    assert "similar name</span>" not in search(officer, "Ali Haji")


def test_search_is_bounded(officer: Browser, conn: Connection, dsn: str) -> None:
    with_lists(conn, dsn, lambda lists: lists.run(range(1, 80)))
    page = search(officer, "Asha")
    assert "79 people" in page
    assert page.count("<tr>") == 51
    assert "There are more" not in page


def test_so_many_are_found_at_most(
    officer: Browser, conn: Connection, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people_page, "MAX_FOUND", 60)
    with_lists(conn, dsn, lambda lists: lists.run(range(1, 80)))
    page = search(officer, "Asha")
    assert "The first 60 people" in page
    assert "There are more" in page


def test_a_search_that_takes_too_long_says_so(
    officer: Browser, people: None, conn: Connection, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "STATEMENT_TIMEOUT", "100ms")
    address = officer.press(PAGE, words="juma").location
    with psycopg.connect(dsn) as other, other.transaction():
        other.execute("LOCK TABLE employees")
        answer = officer.get(address)
    assert answer.status_code == 400
    assert "The search took too long and was stopped. Type more of the name." in answer.text
    assert 'value="juma"' in answer.text


def test_search_without_words_shows_the_page(officer: Browser) -> None:
    for words in ("", "   "):
        answer = officer.press(PAGE, words=words)
        assert (answer.status_code, answer.location) == (303, PAGE)


def test_a_person_with_their_time_line(
    administrator: Browser, officer: Browser, people: None, conn: Connection
) -> None:
    page = administrator.get(f"{PAGE}/1").text
    for words in ("Asha Mtu 1 Ali", "580330001", "Phone number", "0770000000", "WIZARA YA AFYA"):
        assert words in page
    assert page.index("Changed") < page.index("First seen")
    assert ">run 2</a>, requested by asha" in page
    assert "<del>Asha Mtu 1 Makame</del>" in page
    assert "<ins>Asha Mtu 1 Ali</ins>" in page
    assert "<del>empty</del>" in page
    left = officer.get(f"{PAGE}/3").text
    assert "Left: on no list since run 3" in left
    assert "The list of WIZARA YA AFYA (by vote code) missed them, and no other list has them." in left
    assert "ended with run 3" in left


def test_what_a_person_set_right_says_who(officer: Browser, people: None, conn: Connection) -> None:
    conn.execute(
        "INSERT INTO employee_changes (employee_id, made_by, changes)"
        """ VALUES (1, 'juma', '{"institution": [null, "WIZARA YA MAJI"]}')"""
    )
    page = officer.get(f"{PAGE}/1").text
    assert "<ins>WIZARA YA MAJI</ins>" in page
    assert "by juma" in page


def test_an_auditor_can_search_and_read_but_not_fetch(auditor: Browser, people: None) -> None:
    assert ">Person 3</a>" in search(auditor, "juma haji ali")
    assert "Juma Haji" not in auditor.get(f"{PAGE}/3").text
    assert "Fetch this person" not in auditor.get(f"{PAGE}/1").text
    assert auditor.press(f"{PAGE}/1/fetch").status_code == 403
    assert auditor.press(f"{PAGE}/fetch", key="580330001").status_code == 403


def test_an_auditor_gets_no_button_for_the_failed_run_of_a_person(
    auditor: Browser, officer: Browser, conn: Connection
) -> None:
    run_id = end_run(conn, enqueue_person(conn, ASHA, "580330001").run_id, "failed", None)
    for browser, buttons in ((officer, 1), (auditor, 0)):
        card = browser.get(f"/dashboard/admin/fetch-data/runs/{run_id}").text
        assert (card.count('id="status"'), card.count("Retry run")) == (1, buttons)


def test_a_search_needs_the_form(officer: Browser) -> None:
    assert officer.post(PAGE, data={"words": "juma"}).status_code == 400


def test_an_unknown_person_is_not_found(officer: Browser) -> None:
    for id_ in ("4711", "x", "²", "9" * 40):
        assert officer.get(f"{PAGE}/{id_}").status_code == 404
    assert officer.press(f"{PAGE}/4711/fetch").status_code == 404


def test_the_buttons_ask_for_one_person(officer: Browser, people: None, conn: Connection) -> None:
    answer = officer.press(f"{PAGE}/1/fetch")
    assert (answer.status_code, answer.location) == (303, f"{PAGE}?run=4#run")
    assert officer.press(f"{PAGE}/fetch", key=" 580330001 ").location == f"{PAGE}?run=4#run"
    assert officer.press(f"{PAGE}/fetch", key="963002").location == f"{PAGE}?run=5#run"
    page = officer.get(f"{PAGE}?run=4").text
    assert "58•••••01" in page
    assert "580330001" not in page
    assert "Cancel run" in page
    cancelled = officer.press("/dashboard/admin/fetch-data/runs/4/cancel")
    assert cancelled.location == f"{PAGE}?run=4#run"
    assert "Cancelled. Nothing was changed." in officer.get(f"{PAGE}?run=4").text


def test_a_number_that_is_none_is_refused(officer: Browser, conn: Connection) -> None:
    for key in ("", "  ", "12", "58033;001", "x" * 31, "Asha Juma", "makame"):
        answer = officer.press(f"{PAGE}/fetch", key=key)
        assert answer.status_code == 400
        assert "Give a ZanID or a payroll number" in answer.text
        # A short one may stand in a token by chance.
        assert len(key.strip()) < 5 or key not in answer.text
    assert conn.execute("SELECT count(*) FROM runs").fetchone() == (0,)


def test_a_run_of_an_institution_is_not_shown_here(officer: Browser, conn: Connection) -> None:
    run_id = end_run(conn, enqueue_run_of(conn, institution(conn)))
    assert officer.get(f"{PAGE}?run={run_id}").status_code == 404
    assert officer.get(f"{PAGE}?run=4711").status_code == 404
    assert officer.get(f"{PAGE}?run=x").status_code == 400


def test_no_name_or_number_reaches_an_address_or_a_log(
    officer: Browser, people: None, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        found = officer.get(officer.press(PAGE, words="580330001").location)
        requested = officer.press(f"{PAGE}/fetch", key="580330001")
        officer.get(f"{PAGE}/1")
    assert found.status_code == 200
    assert "58033" not in requested.location
    assert "580330001" not in caplog.text
    assert f'href="{PAGE}/1"' in found.text


def test_a_sign_that_no_text_has_is_refused(officer: Browser) -> None:
    answer = officer.press(PAGE, words="a\0b")
    assert answer.status_code == 400
    assert "a NUL character" in answer.text
