"""The page of a set-up link: it works once; then every refusal."""

import re
from pathlib import Path

import httpx
import pytest

from hrims.access import setup_links
from hrims.access.actor import Actor
from hrims.access.users.store import insert_user
from hrims.db import Connection
from tests.support.served import Served
from tests.support.simulated import PLAIN
from tests.web.browsers import Browser

NEW = "a dry monsoon"


@pytest.fixture
def link(conn: Connection) -> str:
    """Provide the path of a link for the new officer zuhura."""
    id_ = insert_user(conn, "zuhura", "officer", None, must_change=True)
    assert id_
    return f"/set-up/{setup_links.create_setup_link(conn, Actor('binti', 'page'), id_)}"


def test_it_works_once(client: Browser, link: str) -> None:
    page = client.get(link)
    assert page.status_code == 200
    assert "Your user name is <strong>zuhura</strong>" in page.text
    answer = client.press(link, new=NEW, repeated=NEW)
    assert (answer.status_code, answer.location) == (303, "/sign-in?ready=yes")
    assert "Your password is set. Sign in with it." in client.get(answer.location).text
    answer = client.press("/sign-in", name="zuhura", password=NEW)
    assert (answer.status_code, answer.location) == (303, "/dashboard/admin/fetch-data")
    for answer in (client.get(link), client.press(link, new=NEW, repeated=NEW)):
        assert answer.status_code == 404
        assert "This link was used, or has expired." in answer.text


def test_the_address_is_sent_to_no_other_page(client: Browser, link: str) -> None:
    assert client.get(link).headers["Referrer-Policy"] == "strict-origin"
    answer = client.press(link, new="short", repeated="short")
    assert (answer.status_code, answer.headers["Referrer-Policy"]) == (400, "strict-origin")
    assert "12 to 256 characters" in answer.text


@pytest.mark.parametrize("form", [{}, {"new": NEW}, {"new": NEW, "repeated": "another one"}])
def test_a_wrong_form_is_refused_and_the_link_still_works(
    client: Browser, link: str, form: dict[str, str]
) -> None:
    answer = client.press(link, **form)
    assert answer.status_code == 400
    assert NEW not in answer.text
    assert client.press(link, new=NEW, repeated=NEW).status_code == 303


def test_a_form_without_its_token_is_refused(client: Browser, link: str) -> None:
    assert client.post(link, data={"new": NEW, "repeated": NEW}).status_code == 400
    assert client.get(link).status_code == 200


@pytest.mark.parametrize("token", ["x", "x" * 3000, "%ed%b2%80"])
def test_an_unknown_link_is_not_found(client: Browser, token: str) -> None:
    assert client.get(f"/set-up/{token}").status_code == 404


def test_the_token_is_in_no_log(dsn: str, conn: Connection, link: str, tmp_path: Path) -> None:
    with Served(tmp_path, {"DATABASE_URL": dsn, "HRIMS_LOG_LEVEL": "debug"}) as web:
        answer = httpx.get(f"{web.url}{link}", timeout=60, trust_env=False, verify=PLAIN)
        assert answer.status_code == 200
    written = web.log.read_text()
    assert re.search(r"request_served .*route=/set-up/<token>", written)
    assert link.rpartition("/")[2] not in written
