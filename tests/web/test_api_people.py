"""POST /api/hrims/people/search."""

import logging

import pytest

from hrims.db import Connection
from tests.database.lists import Lists
from tests.support.people import record
from tests.web.browsers import Browser
from tests.web.lists import with_lists
from tests.web.runs import error_of
from tests.web.test_people import search

PATH = "/api/hrims/people/search"


@pytest.fixture
def people(conn: Connection, dsn: str) -> None:
    """Maryam, and 60 others."""

    async def story(lists: Lists) -> None:
        await lists.run([record(1, firstName="Maryam", middleName="Juma"), *range(100, 160)])

    with_lists(conn, dsn, story)


def test_it_works(api: Browser, people: None) -> None:
    answer = api.post(PATH, json={"words": "Makame Maryam"}).get_json()
    assert answer["more"] is False
    assert answer["people"] == [
        {
            "id": answer["people"][0]["id"],
            "zanId": "580330001",
            "payrollNumber": "963001",
            "name": "Maryam Juma Makame",
            "cadre": "Afisa Mipango II",
            "workplace": "Wizara ya Afya",
            "institutionName": "WIZARA YA AFYA",
            "status": "Confirmed",
            "leftAt": None,
            "similar": False,
        }
    ]


def test_a_near_spelling_is_marked(api: Browser, people: None) -> None:
    found = api.post(PATH, json={"words": "Mariam"}).get_json()["people"]
    assert [(one["name"], one["similar"]) for one in found] == [("Maryam Juma Makame", True)]


def test_it_is_bounded(api: Browser, people: None) -> None:
    answer = api.post(PATH, json={"words": "asha"}).get_json()
    assert (len(answer["people"]), answer["more"]) == (50, True)


def test_an_auditor_may_search(auditor: Browser, people: None) -> None:
    page = search(auditor, "maryam juma makame")
    assert ">Person 1</a>" in page
    assert "Maryam Juma Makame" not in page


def test_an_auditor_completes_no_name(auditor: Browser, people: None) -> None:
    for words in ("maryam", "maryam juma", "maryam juma makam", "mariam juma makame", "mar"):
        assert "No person found" in search(auditor, words)


@pytest.mark.parametrize("words", [None, 5, "", "  ", "x" * 101, "\ud800", ["a"]])
def test_what_are_no_words_is_refused(api: Browser, words: object) -> None:
    assert error_of(api.post(PATH, json={"words": words})) == (400, "bad_words")


def test_refusals(api: Browser, client: Browser, officer: Browser) -> None:
    assert error_of(api.post(PATH, data="{")) == (400, "not_json")
    assert error_of(api.post(PATH, json={"words": "a\0b"})) == (400, "not_json")
    assert error_of(client.post(PATH, json={"words": "a"})) == (401, "not_signed_in")
    assert error_of(officer.post(PATH, json={"words": "a"})) == (400, "csrf")


@pytest.mark.parametrize("sent", [b"{", b"[1]", b'{"words": "\\u0000"}'])
def test_a_search_that_is_not_json_does_not_speak_of_a_queue(api: Browser, sent: bytes) -> None:
    message = api.post(PATH, data=sent).get_json()["message"]
    assert message.startswith("The body ")
    assert message.endswith(". Nothing was changed.")


def test_nothing_of_a_person_is_logged(api: Browser, people: None, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        api.post(PATH, json={"words": "Mariam 580330001"})
    assert "ariam" not in caplog.text
    assert "58033" not in caplog.text
