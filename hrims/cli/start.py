"""The start of every command: the settings, the log, and a connection to the database in use."""

import contextlib
import getpass
import os
from collections.abc import Iterator

import psycopg

from hrims import config, db, installation, instances, log, migrate
from hrims.access.audit import Actor
from hrims.cli import messages
from hrims.errors import DatabaseUnusable


def settings() -> config.Settings:
    """Return the settings of this process and configure the log with them."""
    settings_ = config.load(os.environ)
    log.configure(settings_)
    return settings_


@contextlib.contextmanager
def connection(settings: config.Settings, *, migrated: bool = True) -> Iterator[db.Connection]:
    """Provide an autocommit connection.

    Raises DatabaseUnusable with a message if no connection can be opened or, with ``migrated``, if the schema
    is not that of this version.
    """
    if migrated:
        check_database_exists(settings)
    dsn = db.dsn_of(settings)
    try:
        conn = db.connect(dsn)
    except psycopg.OperationalError as error:
        raise DatabaseUnusable(messages.no_connection(error)) from None
    with conn:
        if migrated:
            _check_schema(conn)
        yield conn


def _check_schema(conn: db.Connection) -> None:
    state = migrate.read_state(conn)
    state.check_known()
    if state.missing_before:
        raise DatabaseUnusable(
            "The database is not of this version's schema yet. Nothing was changed. "
            f"{instances.others(instances.running())}Run `hrims migrate` first."
        )


def check_database_exists(settings: config.Settings) -> None:
    """Raise DatabaseUnusable if there is no embedded database yet.

    Only ``hrims up`` creates one.
    """
    if settings.database_url or instances.has_database(settings.state_dir):
        return
    instances.check_meant(settings, os.environ)
    raise DatabaseUnusable(
        f"There is no database in {settings.state_dir} yet, and none was made. "
        f"{instances.others(instances.running())}"
        f"Start HRIMS Sync with that folder: {installation.START_COMMAND}"
    )


def operator() -> Actor:
    """Return the operating system user who runs the command."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = f"uid {os.getuid()}"
    return Actor(name=name, via="command")
