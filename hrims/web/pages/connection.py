"""The page of the HRIMS connection: its values and their sources, the form, the test and the workers."""

import asyncio
import threading
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from flask import render_template, request

from hrims.access.audit import record
from hrims.approvals import actions as approvals
from hrims.connection import actions, store
from hrims.connection.actions import SUBJECT, TypedConnection
from hrims.db import Connection
from hrims.errors import InputError, TooMany
from hrims.remote.connection.check import WEB_SECONDS, Step, check_connection
from hrims.remote.connection.model import (
    CREDENTIALS,
    NUMBERS,
    VARIABLE_OF,
    StoredConnection,
    resolve_connection,
)
from hrims.remote.connection.store import read_connection
from hrims.web.core import requests
from hrims.web.core.actions import perform, see_other
from hrims.web.core.app_state import pool, settings
from hrims.web.core.forms import ConnectionForm
from hrims.web.core.guard import actor
from hrims.web.core.queries import SavedQuery

MAX_WORKERS: Final = 100
"""Workers that the page lists."""

MAX_TESTS: Final = 2
"""Tests that one process runs at the same time. Each occupies a thread for up to WEB_SECONDS."""

BUSY: Final = "Other tests of the connection are running. Wait until they have ended. Nothing was tested."

_tests = threading.BoundedSemaphore(MAX_TESTS)


def index(query: SavedQuery) -> str:
    """Show the page."""
    return _page(saved=query.saved)


def update() -> Any:
    """Handle a button: save what was typed, or request it if a second user must approve it."""
    return perform(
        lambda conn: approvals.change_connection(conn, actor(), _prepare(conn)[1]),
        then=lambda result: (
            see_other("approvals.index") if result.waits else see_other(".index", saved="yes")
        ),
        page=lambda refused: _page(refused=refused, typed=request.form),
    )


def check() -> Any:
    """Handle a button: test the connection with what was typed, without saving it."""
    steps: list[Step] = []
    refused, status = None, int(HTTPStatus.OK)
    try:
        steps = _check()
    except InputError as error:
        refused, status = str(error), error.status
    result = {"steps": steps, "refused": refused}
    if request.headers.get("HX-Request") == "true":
        # htmx shows no response with an error status.
        return render_template("connection/_test.html", **result)
    return _page(test=result, typed=request.form), status


def show_workers() -> str:
    """Show a fragment: the live workers, and which connection each uses."""
    with pool().connection() as conn:
        return render_template("connection/_workers.html", **_list_workers(conn, read_connection(conn)))


def _prepare(conn: Connection) -> tuple[StoredConnection, actions.ConnectionChange]:
    form = requests.read_form(ConnectionForm)
    values = {name: getattr(form, name) for name in actions.VALUES}
    secrets = {name: getattr(form, name) or "" for name in CREDENTIALS}
    removed = frozenset(name for name in CREDENTIALS if getattr(form, f"remove_{name}"))
    stored = read_connection(conn)
    typed = TypedConnection(values=values, secrets=secrets, removed=removed)
    return stored, actions.prepare_change(conn, settings(), stored, typed)


def _check() -> list[Step]:
    with pool().connection() as conn:
        stored, change = _prepare(conn)
    connection = resolve_connection(settings(), change.apply_to(stored))
    if not _tests.acquire(blocking=False):
        raise TooMany(BUSY, "too_many_tests")
    try:
        steps = asyncio.run(check_connection(connection, WEB_SECONDS))
    finally:
        _tests.release()
    failed = next((step.name for step in steps if step.state == "failed"), None)
    with pool().connection() as conn:
        record(conn, actor(), "connection.test", SUBJECT, address=connection.address, failed=failed)
    return steps


def _page(typed: Mapping[str, str] | None = None, **context: Any) -> str:
    """Return the page, with what was typed instead of the saved values. It never repeats a credential."""
    with pool().connection() as conn:
        stored = read_connection(conn)
        connection = resolve_connection(settings(), stored)
        shown = {
            "connection": connection,
            "stored": stored,
            "given": {**_values(stored), **_select_values(typed or {})},
            "defaults": settings(),
            "variables": VARIABLE_OF,
            "credentials": CREDENTIALS,
            "refused": None,
            "saved": None,
            "test": None,
            **_list_workers(conn, stored),
        }
    return render_template("connection/index.html", **(shown | context))


def _values(stored: StoredConnection) -> dict[str, str]:
    """Return the values of the form: those of the environment, which it cannot change, or the saved ones."""
    values: dict[str, Any] = {"address": settings().base_url or stored.address}
    for name in NUMBERS:
        values[name] = getattr(settings() if name in settings().given else stored, name)
    return {
        name: f"{value:g}" if isinstance(value, float) else str(value or "") for name, value in values.items()
    }


def _select_values(typed: Mapping[str, str]) -> dict[str, str]:
    return {name: typed[name] for name in actions.VALUES if name in typed}


def _list_workers(conn: Connection, stored: StoredConnection) -> dict[str, Any]:
    return {"workers": store.list_workers(conn, MAX_WORKERS), "current": stored.version}
