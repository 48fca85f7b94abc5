"""Two instances on one host share a browser's cookies, because cookies do not tell ports apart."""

from collections.abc import Iterator

import psycopg
import pytest
from flask import Flask
from psycopg import sql
from psycopg.conninfo import make_conninfo

from hrims.config import load
from hrims.web.core import app_state
from tests.web.browsers import Browser, new_app, new_browser, signed_in

HOME = "/dashboard/admin/fetch-data"

SHARED = {"SECRET_KEY": "the same for both, at least 32 letters long"}


@pytest.fixture
def neighbour(
    server_dsn: str, template_database: str, environment: dict[str, str]
) -> Iterator[tuple[Flask, str]]:
    """Provide a second instance on the same host, with the same SECRET_KEY and a database of its own."""
    name = sql.Identifier("neighbour_" + environment["DATABASE_URL"].rpartition("test_")[2][:16])
    dsn = make_conninfo(server_dsn, dbname=name.as_string().strip('"'))
    with psycopg.connect(server_dsn, autocommit=True) as server:
        server.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(name, sql.Identifier(template_database))
        )
        app = new_app(load({"DATABASE_URL": dsn, **SHARED}))
        yield app, dsn
        app_state.state_of(app).close()
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def is_in(browser: Browser) -> bool:
    """Whether the browser sees the page."""
    return browser.get(HOME).status_code == 200


@pytest.mark.parametrize("environment", [SHARED], indirect=True)
def test_two_instances_on_one_host_do_not_sign_one_another_out(
    officer: Browser, neighbour: tuple[Flask, str]
) -> None:
    app, dsn = neighbour
    with psycopg.connect(dsn, autocommit=True) as theirs:
        browser = signed_in(new_browser(app), theirs, "asha", "officer")
        ours, other = officer._cookies or {}, browser._cookies or {}
        assert not ours.keys() & other.keys()
        officer._cookies = browser._cookies = {**ours, **other}
        assert is_in(officer)
        assert is_in(browser)
        officer.press("/sign-out")
        assert is_in(browser)
