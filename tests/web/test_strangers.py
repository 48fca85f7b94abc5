"""Strangers who guess passwords: they are slowed down, and keep no user out."""

import pytest
from flask import Flask

from hrims.access import keys
from hrims.db import Connection
from tests.support.users import PASSWORD, add_user
from tests.web.browsers import Browser, new_browser

HOME = "/dashboard/admin/fetch-data"


@pytest.fixture
def asha(conn: Connection) -> int:
    """Provide the id of the officer asha."""
    return add_user(conn, "asha", "officer")


def browser_at(app: Flask, address: str) -> Browser:
    """Return a browser at another address."""
    browser = new_browser(app)
    browser.environ_base["REMOTE_ADDR"] = address
    return browser


def sign_in(browser: Browser, name: str = "asha", password: str = PASSWORD) -> int:
    """Send the sign-in form; return the status."""
    return int(browser.press("/sign-in", name=name, password=password).status_code)


def test_strangers_keep_no_user_out_of_a_device_that_she_has_used(app: Flask, asha: int) -> None:
    hers, stranger = browser_at(app, "192.0.2.7"), browser_at(app, "203.0.113.9")
    assert sign_in(hers) == 303
    hers.press("/sign-out")
    answers = [sign_in(stranger, password=f"wrong password {number}") for number in range(12)]
    assert 429 in answers
    assert sign_in(stranger) == 429
    assert sign_in(hers) == 303


def test_strangers_keep_no_user_out_of_another_address(app: Flask, asha: int) -> None:
    for number in range(4):
        stranger = browser_at(app, f"203.0.113.{number}")
        assert {sign_in(stranger, password=f"wrong {number}") for _ in range(8)} == {401, 429}
    assert sign_in(browser_at(app, "192.0.2.7")) == 303


def test_a_made_up_device_cookie_opens_nothing(app: Flask, conn: Connection, asha: int) -> None:
    hers, stranger = browser_at(app, "192.0.2.7"), browser_at(app, "203.0.113.9")
    name = f"hrims_device_{keys.instance_id(conn)}"
    assert sign_in(hers) == 303
    cookie = hers.get_cookie(name)
    assert cookie
    assert (cookie.http_only, cookie.same_site, cookie.path) == (True, "Lax", "/")
    assert cookie.max_age == 180 * 86400
    stranger.set_cookie(name, cookie.value[:-1] + ("0" if cookie.value[-1] != "0" else "1"))
    assert 429 in [sign_in(stranger, password=f"wrong {number}") for number in range(8)]
