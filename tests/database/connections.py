"""Saved connections for tests, made by the functions that the page uses."""

from typing import Any

from hrims.config import load
from hrims.connection import actions
from hrims.connection.actions import ConnectionChange, TypedConnection
from hrims.db import Connection
from hrims.remote.connection.model import CREDENTIALS
from hrims.remote.connection.store import read_connection
from tests.support.encryption import KEY
from tests.support.users import BINTI

SETTINGS = load({"HRIMS_ENCRYPTION_KEY": KEY})


def prepare(conn: Connection, *removed: str, **fields: Any) -> ConnectionChange:
    """Return the change to these fields. Those that are not given stay as they are."""
    stored = read_connection(conn)
    values = {name: fields.get(name, getattr(stored, name)) for name in actions.VALUES}
    secrets = {name: fields[name] for name in CREDENTIALS if name in fields}
    typed = TypedConnection(values=values, secrets=secrets, removed=frozenset(removed))
    return actions.prepare_change(conn, SETTINGS, stored, typed)


def change(conn: Connection, *removed: str, **fields: Any) -> None:
    """Save a change of these fields."""
    actions.apply_connection_change(conn, BINTI, prepare(conn, *removed, **fields))
