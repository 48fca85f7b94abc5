"""The whole web application over this test's own database, and its clients: without a session, an officer's
browser, a machine.
"""

from collections.abc import Iterator

import msgspec
import pytest
from flask import Flask

from hrims.config import Settings, load
from hrims.db import Connection
from hrims.web.core import app_state
from tests.database.runs import enqueue_run_of, institution
from tests.support.encryption import KEY
from tests.support.users import add_machine
from tests.web.browsers import Browser, new_app, new_browser, shared_app, signed_in


@pytest.fixture
def environment(dsn: str, request: pytest.FixtureRequest) -> dict[str, str]:
    """Provide the environment of ``app``; a test that wants more gives it by indirect parametrization."""
    return {"DATABASE_URL": dsn, "HRIMS_ENCRYPTION_KEY": KEY, **getattr(request, "param", {})}


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
    token = add_machine(conn, "nightly", "administrator")
    machine = new_browser(app)
    machine.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return machine


@pytest.fixture
def administrator(app: Flask, conn: Connection) -> Browser:
    """Provide a browser in which the administrator ``binti`` is signed in."""
    return signed_in(new_browser(app), conn, "binti", "administrator")


@pytest.fixture
def auditor(app: Flask, conn: Connection) -> Browser:
    """Provide a browser in which the auditor ``salma`` is signed in."""
    return signed_in(new_browser(app), conn, "salma", "auditor")


@pytest.fixture
def health(conn: Connection) -> int:
    """Return the id of the ministry of health."""
    return institution(conn)


@pytest.fixture
def job(conn: Connection) -> int:
    """Return the id of a waiting run."""
    return enqueue_run_of(conn, institution(conn))
