"""The start of every command: the settings, the log, and a connection to the database in use."""

import contextlib
import getpass
import os
from collections.abc import Iterator

import click
import psycopg

from hrims import config, db, installation, instances, log, migrate, request_ids, version
from hrims.access import openid, users
from hrims.access.actor import Actor, system
from hrims.access.permissions import Permission
from hrims.cli import messages
from hrims.errors import DatabaseUnusable, NotAllowed, NotFound


def settings() -> config.Settings:
    """Return the settings of this process and configure the log with them.

    Raises ConfigError if a setting is wrong, or if settings do not belong together.
    """
    settings_ = config.load(os.environ)
    openid.check_settings(settings_)
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


def login(settings: config.Settings, conn: db.Connection) -> str | None:
    """Return the user of web processes and workers, if another user owns the tables; else None."""
    return conn.info.user if settings.owner_database_url and settings.database_url else None


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


def acting_user(
    conn: db.Connection,
    settings: config.Settings,
    permission: Permission,
    *,
    is_bootstrap: bool = False,
    makes_administrator: bool = False,
) -> Actor:
    """Return the user that the command acts as, and check the permission.

    It is the one of ``--as`` or HRIMS_USER, else the one with the login name of the operating system, else
    the oldest administrator. A command that ``is_bootstrap`` acts as the system while there are no users. One
    that ``makes_administrator`` does so, if no user is named, while there is no second one to approve it.
    Raises NotFound if there is no such user, NotAllowed if the user lacks the permission.
    """
    if is_bootstrap and users.has_no_users(conn):
        return system("hrims")
    name = _named_user(settings)
    operator = _with_origin(system("hrims"))
    if makes_administrator and not name and users.has_no_second_administrator(conn, operator):
        return operator
    name = name or users.default_user(conn, _login_name())
    if name is None:
        raise NotFound(
            "There is no user yet that this command can act as. Nothing was changed. "
            "Add one: hrims user add NAME --role administrator",
            "unknown_user",
        )
    return _identify(conn, name, permission)


def reading_user(conn: db.Connection, settings: config.Settings, permission: Permission) -> Actor:
    """Return the user of ``--as`` or HRIMS_USER, and check the permission; without one, the system.

    For commands that only read. The operator needs them before users can sign in, and can read the database
    without them. Raises as ``acting_user`` does.
    """
    name = _named_user(settings)
    return _identify(conn, name, permission) if name else system("hrims")


def _named_user(settings: config.Settings) -> str | None:
    name: str | None = click.get_current_context().find_root().params.get("as_user") or settings.user
    return name


def _identify(conn: db.Connection, name: str, permission: Permission) -> Actor:
    actor = _with_origin(users.identify(conn, name, "cli"))
    if not actor.can(permission):
        raise NotAllowed(
            f"{actor.name} has the role {actor.role}, which does not allow this. Nothing was changed. "
            "Name another user with --as NAME or HRIMS_USER."
        )
    return actor


def _with_origin(actor: Actor) -> Actor:
    """Return the actor with the login name of the operating system and a new request id."""
    user_agent = f"hrims {version.VERSION}, login {_login_name()}"
    return actor._replace(user_agent=user_agent, request_id=request_ids.begin())


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
