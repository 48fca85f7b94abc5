"""Each record of a sign-in names address, browser and request, and the user if one is known."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from hrims.access import setup_links
from hrims.access.throttle import PAIR
from hrims.audit import refusals
from hrims.db import Connection
from tests.support.users import ASHA, BINTI
from tests.web.browsers import ADDRESS, Browser, new_browser, signed_in

BROWSER = "Mozilla/5.0 (test)"

NEW = "a dry monsoon 77x"


@pytest.fixture(autouse=True)
def limiter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "LIMITER", refusals.RefusalLimiter())


@pytest.fixture
def browser(app: Flask) -> Browser:
    """Return a browser that gives its name, and chooses the ids of its requests."""
    made = new_browser(app)
    made.environ_base |= {"HTTP_USER_AGENT": BROWSER, "HTTP_X_REQUEST_ID": "of-this-request"}
    return made


def fail(browser: Browser, conn: Connection) -> None:
    browser.press("/sign-in", name="asha", password="wrong")


def fail_often(browser: Browser, conn: Connection) -> None:
    for _ in range(PAIR.free + 1):
        fail(browser, conn)


def sign_out(browser: Browser, conn: Connection) -> None:
    signed_in(browser, conn, "asha", "officer").press("/sign-out")


def set_up(browser: Browser, conn: Connection) -> None:
    assert ASHA.user_id
    link = setup_links.create_setup_link(conn, BINTI, ASHA.user_id)
    browser.press(f"/set-up/{link}", new=NEW, repeated=NEW)


def confirm_wrongly(browser: Browser, conn: Connection) -> None:
    signed_in(browser, conn, "asha", "officer").press("/sign-in/confirm", secret="wrong")


def confirm_too_often(browser: Browser, conn: Connection) -> None:
    for _ in range(PAIR.free + 1):
        confirm_wrongly(browser, conn)


ANONYMOUS = ("(not signed in)", None, None)
KNOWN = ("asha", ASHA.user_id, "officer")


@pytest.mark.parametrize(
    ("action", "act", "who"),
    [
        ("session.sign_in_failed", fail, ANONYMOUS),
        ("session.throttled", fail_often, ANONYMOUS),
        ("session.sign_out", sign_out, KNOWN),
        ("user.set_up", set_up, KNOWN),
        ("session.sign_in_failed", confirm_wrongly, KNOWN),
        ("session.throttled", confirm_too_often, KNOWN),
    ],
)
def test_it_says_where_it_came_from(
    browser: Browser,
    conn: Connection,
    action: str,
    act: Callable[[Browser, Connection], None],
    who: tuple[Any, ...],
) -> None:
    act(browser, conn)
    found = conn.execute(
        "SELECT DISTINCT actor, user_id, role, host(address), user_agent, request_id, subject"
        " FROM audit_log WHERE action = %s",
        (action,),
    ).fetchall()
    assert found == [(*who, ADDRESS, BROWSER, "of-this-request", "user:asha")]
