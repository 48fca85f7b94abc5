"""Browsers for web tests. Input: a web application. Output: clients, without a session or signed in."""

import functools
import re
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from hrims.access import keys, sessions
from hrims.config import Settings
from hrims.db import Connection
from tests.support.users import actor_of

ADDRESS = "127.0.0.1"
"""From where the test client asks."""

QUICK_PAGE = "/dashboard/admin/people"
"""A page with a form token that asks the database for little."""


class Browser(FlaskClient):
    """A browser: keeps cookies, and sends the form token when asked to."""

    def csrf(self) -> str:
        """Return the token that a page of this browser carries."""
        # Without a session, this leads to the page of the sign-in.
        with self.get(QUICK_PAGE, follow_redirects=True) as page:
            found = re.search(r'name="csrf_token" value="([^"]+)"', page.get_data(as_text=True))
        assert found, "the page carries no form token"
        return found[1]

    def press(self, path: str, **form: str) -> Any:
        """Send a form of a page: POST with the form token."""
        return self.post(path, data={"csrf_token": self.csrf(), **form})


def without_form_token(text: str) -> str:
    """Return the text of a page without its form token, which is another one each time."""
    return re.sub(r"[\w-]{22}\.[0-9a-f]{64}", "", text)


def new_browser(app: Flask) -> Browser:
    """Another browser, without cookies."""
    browser = app.test_client()
    assert isinstance(browser, Browser)
    return browser


def signed_in(
    browser: Browser, conn: Connection, name: str, role: str, institutions: list[int] | None = None
) -> Browser:
    """Return the browser, with a user signed in who is added if there is none of this name."""
    user_id = actor_of(conn, name, role, institutions).user_id
    assert user_id
    token = sessions.begin(conn, user_id, ADDRESS, hours=1)
    browser.set_cookie(f"hrims_session_{keys.instance_id(conn)}", token)
    return browser


def session_of(browser: Browser, conn: Connection) -> str:
    """Return the token in the session cookie of a browser."""
    cookie = browser.get_cookie(f"hrims_session_{keys.instance_id(conn)}")
    assert cookie
    return cookie.value


def with_session(app: Flask, conn: Connection, token: str) -> Browser:
    """Return another browser with this session cookie, as the one of a thief."""
    browser = new_browser(app)
    browser.set_cookie(f"hrims_session_{keys.instance_id(conn)}", token)
    return browser


def new_app(settings: Settings) -> Flask:
    """Create a web application whose clients are browsers."""
    made = create_app(settings)
    made.test_client_class = Browser
    return made


shared_app = functools.cache(new_app)
"""Compiling the templates of a new application costs more than most tests."""
