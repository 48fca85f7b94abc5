"""The whole web application over this test's own database, and its clients: without a session, an officer's
browser, a machine.
"""

import functools
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from hrims.access import keys, passwords, sessions, store, tokens
from hrims.access.audit import Actor
from hrims.config import Settings, load
from hrims.db import Connection
from hrims.web.core import app_state

ADDRESS = "127.0.0.1"
"""From where the test client asks."""

QUICK_PAGE = "/dashboard/admin/people"
"""A page with a form token that asks the database for little."""

PASSWORD = "a wet monsoon"
PASSWORD_HASH = passwords.hash_password(PASSWORD)
"""Made once: a hash is slow on purpose."""


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


def new_browser(app: Flask) -> Browser:
    """Another browser, without cookies."""
    browser = app.test_client()
    assert isinstance(browser, Browser)
    return browser


def add_user(conn: Connection, name: str, role: str) -> int:
    """Add a user whose password is PASSWORD."""
    id_ = store.insert_user(conn, name, role, PASSWORD_HASH)
    assert id_ is not None
    return id_


def signed_in(browser: Browser, conn: Connection, name: str, role: str) -> Browser:
    """Return the browser, with a new user signed in."""
    token = sessions.begin(conn, add_user(conn, name, role), ADDRESS, hours=1)
    browser.set_cookie(f"hrims_session_{keys.instance_id(conn)}", token)
    return browser


@pytest.fixture
def conn(dsn: str) -> Iterator[Connection]:
    """Provide an autocommit connection to this test's database."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        yield connection


@pytest.fixture
def environment(dsn: str, request: pytest.FixtureRequest) -> dict[str, str]:
    """Provide the environment of ``app``; a test that wants more gives it by indirect parametrization."""
    return {"DATABASE_URL": dsn, **getattr(request, "param", {})}


@pytest.fixture
def settings(environment: dict[str, str]) -> Settings:
    """Provide the settings of ``app``."""
    return load(environment)


@pytest.fixture
def app(settings: Settings, request: pytest.FixtureRequest) -> Iterator[Flask]:
    """Provide the web application. Tests with the same settings share it, unless marked ``own_app``."""
    marker = request.node.get_closest_marker("own_app")
    create = marker.kwargs.get("create", new_app) if marker else shared_app
    made = create(msgspec.structs.replace(settings, database_url=None))
    made.secret_key = None
    state = app_state.attach(made, settings)
    yield made
    state.close()


def new_app(settings: Settings) -> Flask:
    """Create a web application whose clients are browsers."""
    made = create_app(settings)
    made.test_client_class = Browser
    return made


shared_app = functools.cache(new_app)
"""Compiling the templates of a new application costs more than most tests."""


@pytest.fixture
def client(app: Flask) -> Browser:
    """Return a browser without a session."""
    return new_browser(app)


@pytest.fixture
def officer(app: Flask, conn: Connection) -> Browser:
    """Provide a browser in which the officer ``asha`` is signed in."""
    return signed_in(new_browser(app), conn, "asha", "officer")


@pytest.fixture
def api(app: Flask, conn: Connection) -> Browser:
    """Provide a machine with a bearer token, named ``nightly``."""
    token = tokens.add_token(conn, Actor("test", "system"), "nightly", "administrator")
    machine = new_browser(app)
    machine.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return machine
