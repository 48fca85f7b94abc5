"""What every command begins with: the settings, the log, and a connection to the database in use."""

import contextlib
import getpass
import os
from collections.abc import Iterator

import psycopg

from hrims import config, db, instances, log, migrate
from hrims.access.audit import Actor
from hrims.cli import words
from hrims.errors import DatabaseUnusable


def settings() -> config.Settings:
    """The settings of this process, with the log configured to them."""
    found = config.load(os.environ)
    log.configure(found)
    return found


@contextlib.contextmanager
def connection(settings: config.Settings, *, migrated: bool = True) -> Iterator[db.Connection]:
    """One autocommit connection. Raises DatabaseUnusable in words when there is none to be had, or,
    with ``migrated``, when the schema is not this version's.
    """
    if migrated:
        check_there(settings)
    dsn = db.dsn_of(settings)
    try:
        conn = db.connect(dsn)
    except psycopg.OperationalError as reason:
        raise DatabaseUnusable(words.no_connection(reason)) from None
    with conn:
        if migrated and migrate.pending(conn):
            raise DatabaseUnusable(
                "The database is not of this version's schema yet. Nothing was changed. "
                f"{instances.others(instances.running())}Run `hrims migrate` first."
            )
        yield conn


def check_there(settings: config.Settings) -> None:
    """Raise DatabaseUnusable if there is no embedded database yet: other commands make none."""
    if settings.database_url or instances.has_database(settings.state_dir):
        return
    instances.check_meant(settings, os.environ)
    raise DatabaseUnusable(
        f"There is no database in {settings.state_dir} yet, and none was made. "
        f"{instances.others(instances.running())}Start HRIMS Sync with that folder: make run"
    )


def operator() -> Actor:
    """Whoever types the command."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = f"uid {os.getuid()}"
    return Actor(name=name, via="command")
