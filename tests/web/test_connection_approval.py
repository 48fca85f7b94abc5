"""A change of the address or the credentials of HRIMS needs a second administrator."""

import re

import pytest
from flask import Flask

from hrims.approvals import actions as approvals
from hrims.config import Settings, load
from hrims.db import Connection
from hrims.errors import NotAllowed
from hrims.remote.connection.model import resolve_connection
from hrims.remote.connection.store import read_connection
from hrims.vault import Vault, store
from tests.support.encryption import KEY, OTHER_KEY
from tests.support.secrets import dump, find_in
from tests.support.users import actor_of
from tests.web.browsers import Browser, new_browser, signed_in
from tests.web.connections import HRIMS, PAGE, SAVED, SECRETS, saved

APPROVALS = "/dashboard/admin/approvals"


@pytest.fixture
def second(app: Flask, conn: Connection) -> Browser:
    """Provide a browser in which the administrator ``zuhura`` is signed in."""
    return signed_in(new_browser(app), conn, "zuhura", "administrator")


def lines(browser: Browser) -> list[str]:
    """Return what the page of approvals says that the waiting requests change."""
    waiting = browser.get(APPROVALS).text.partition('<section id="recent">')[0]
    return re.findall(r"<p>((?:Address|API key|Token|Requests)[^<]*)</p>", waiting)


def test_it_works(administrator: Browser, second: Browser, conn: Connection, settings: Settings) -> None:
    answer = administrator.press(PAGE, **SAVED)
    assert answer.location == APPROVALS
    assert read_connection(conn).version == 0
    expected = [f"Address: not set becomes {HRIMS}.", "API key: set.", "Token: set."]
    assert lines(administrator) == lines(second) == expected
    text = dump(conn)
    for secret in SECRETS.values():
        assert not find_in(text, secret.encode())
        assert secret not in second.get(APPROVALS).text
    assert administrator.press(f"{APPROVALS}/1/approve").status_code == 403, "the user who requested it"
    assert second.press(f"{APPROVALS}/1/approve").location == APPROVALS
    assert saved(conn, settings)["token"] == SECRETS["token"]
    page = second.get(PAGE).text
    assert len(re.findall(r"Set on <time [^>]*>[^<]*</time> by binti\.", page)) == 2
    rows = conn.execute("SELECT actor, action FROM audit_log WHERE action ~ '^approval|^conn' ORDER BY id")
    assert rows.fetchall() == [
        ("binti", "approval.request"),
        ("zuhura", "connection.change"),
        ("zuhura", "approval.approve"),
    ]
    assert not re.search("gAAAAA", str(conn.execute("SELECT details FROM approvals").fetchall()))


def test_one_that_is_refused_changes_nothing(
    administrator: Browser, second: Browser, conn: Connection
) -> None:
    administrator.press(PAGE, **SAVED)
    assert second.press(f"{APPROVALS}/1/refuse").location == APPROVALS
    assert read_connection(conn).version == 0
    assert not re.search("gAAAAA", str(conn.execute("SELECT details FROM approvals").fetchall()))


@pytest.mark.usefixtures("second")
def test_timeouts_and_requests_in_flight_need_one_user(administrator: Browser, conn: Connection) -> None:
    assert administrator.press(PAGE, connect_timeout="7", max_in_flight="2").location == f"{PAGE}?saved=yes"
    assert read_connection(conn).max_in_flight == 2


@pytest.mark.usefixtures("second")
def test_a_second_request_is_refused_with_the_number_of_the_first(administrator: Browser) -> None:
    administrator.press(PAGE, **SAVED)
    answer = administrator.press(PAGE, **SAVED)
    assert answer.status_code == 409
    assert "This waits for an approval already. Request 1 on the page “Approvals” must be" in answer.text


def test_one_that_was_overtaken_ends_and_blocks_nothing(
    administrator: Browser, second: Browser, conn: Connection
) -> None:
    administrator.press(PAGE, **SAVED)
    administrator.press(PAGE, max_in_flight="2")
    assert conn.execute("SELECT state, decided_by FROM approvals").fetchall() == [("outdated", None)]
    rows = conn.execute(
        "SELECT actor, subject, details ->> 'of' FROM audit_log WHERE action = 'approval.end'"
    )
    assert rows.fetchall() == [("the system", "approval:1", "connection.change")]
    assert not re.search("gAAAAA", str(conn.execute("SELECT details FROM approvals").fetchall()))
    answer = second.press(f"{APPROVALS}/1/approve")
    assert answer.status_code == 409
    assert "Request 1 can no longer be carried out" in answer.text
    assert '<span class="state outdated">outdated</span>' in answer.text
    assert read_connection(conn).address is None
    assert administrator.press(PAGE, **SAVED).location == APPROVALS
    assert second.press(f"{APPROVALS}/2/approve").location == APPROVALS
    assert read_connection(conn).address == HRIMS


@pytest.mark.usefixtures("second")
def test_users_who_may_not_decide_see_nothing_of_it(
    administrator: Browser, app: Flask, conn: Connection
) -> None:
    administrator.press(PAGE, **SAVED)
    supervisor = signed_in(new_browser(app), conn, "juma", "supervisor")
    assert "Change the connection to HRIMS" not in supervisor.get(APPROVALS).text
    assert lines(supervisor) == []
    assert HRIMS not in supervisor.get(APPROVALS).text
    assert supervisor.press(f"{APPROVALS}/1/approve").status_code == 403


@pytest.mark.usefixtures("second")
def test_a_request_waits_through_a_rotation_of_the_key(administrator: Browser, conn: Connection) -> None:
    administrator.press(PAGE, **SAVED)
    both, new = (load({"HRIMS_ENCRYPTION_KEY": keys}) for keys in (f"{OTHER_KEY},{KEY}", OTHER_KEY))
    with conn.transaction():
        assert store.rotate(conn, Vault(both)).rotated == 4, "key check, form key and two credentials"
    assert store.inspect(conn, Vault(new)).unreadable == []
    zuhura = actor_of(conn, "zuhura", "administrator")
    approvals.approve(conn, zuhura, 1)
    assert resolve_connection(new, read_connection(conn)).settings.token == SECRETS["token"]


@pytest.mark.usefixtures("second")
def test_a_request_whose_key_is_lost_can_be_discarded(administrator: Browser, conn: Connection) -> None:
    administrator.press(PAGE, **SAVED)
    lost = Vault(load({"HRIMS_ENCRYPTION_KEY": OTHER_KEY}))
    assert "a credential of the requested change of the connection 1:token" in (
        store.inspect(conn, lost).unreadable
    )
    with conn.transaction():
        store.rotate(conn, lost, discard=True)
    assert conn.execute("SELECT state FROM approvals").fetchall() == [("expired",)]


def test_a_token_approves_no_change(administrator: Browser, second: Browser, conn: Connection) -> None:
    administrator.press(PAGE, **SAVED)
    machine = actor_of(conn, "zuhura", "administrator")._replace(token_id=1, token_scope="manage")
    with pytest.raises(NotAllowed, match="Your role does not allow"):
        approvals.approve(conn, machine, 1)
