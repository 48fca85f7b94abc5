"""``hrims doctor``: check the whole product, and print what to do."""

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final, cast

import click
import psycopg

from hrims import db, instances, migrate
from hrims.cli import messages, start
from hrims.config import Settings
from hrims.db import Connection
from hrims.errors import HrimsSyncError
from hrims.monitoring import audit_checks, checks, store
from hrims.monitoring.checks import Check, State
from hrims.remote.connection.check import check_connection
from hrims.remote.connection.model import RemoteConnection, Source, StoredConnection, resolve_connection
from hrims.remote.connection.store import read_connection

TIMEOUT = 60.0
"""Seconds that the test of HRIMS takes at most; one employee takes up to 30."""

INDENT = " " * 18
"""Indent of the continuation lines of an error."""

LOCKED = "Another session of the database locks a table that this check reads, as web and workers do."

READ_ONLY = "The database is read-only: pages can be read, nothing can be saved, and runs wait."

MAKE_WRITABLE = (
    "Either it is a standby (with several hosts in DATABASE_URL, add target_session_attrs=read-write), or "
    "default_transaction_read_only is on, which some hosts set when the disk is nearly full. "
    "Runs continue as soon as it accepts writes; restart nothing."
)

NEWER = (
    "This database is newer than this code: it holds {}. Web processes and workers that started before "
    "continue, and refuse to start again."
)

RESTART = "Restart them with the newer version of HRIMS Sync."


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print the checks as JSON.")
def doctor_command(as_json: bool) -> None:
    """Check the whole product, and say what to do. Exit code 1 if anything is amiss."""
    checks = []
    for check in run_checks(start.settings()):
        checks.append(check)
        if not as_json:
            click.echo(_format(check))
    ok = all(check.state != "amiss" for check in checks)
    if as_json:
        # ASCII only: a character that is escaped for the terminal would not be JSON.
        click.echo(json.dumps({"ok": ok, "checks": [check._asdict() for check in checks]}))
    sys.exit(0 if ok else 1)


def _format(check: Check) -> str:
    lines = [" ".join(line.split()) for line in check.text.splitlines()]
    return f"{check.state:8}{check.name:10}" + f"\n{INDENT}".join(filter(None, lines))


def run_checks(settings: Settings) -> Iterator[Check]:
    """Run each check whose requirements hold, one after the other."""
    yield _instance(settings)
    database = _run("database", partial(_database, settings))
    yield database
    schema = (
        _run("schema", partial(_schema, settings))
        if _is_usable(database)
        else _skip("schema", "the database")
    )
    yield schema
    yield _run("disk", partial(_disk, settings)) if _is_usable(database) else _skip("disk", "the database")
    yield _run("remote", partial(_remote, settings, is_stored=_is_usable(schema)))
    yield checks.check_hosts(settings)
    stored: dict[str, Callable[[Connection], Check]] = {
        "secrets": partial(checks.check_secrets, settings=settings),
        **STORED,
        "audit": partial(audit_checks.check_audit, settings=settings),
    }
    for name, check in stored.items():
        if _is_usable(schema):
            yield _run(name, partial(_with_connection, settings, check))
        else:
            yield _skip(name, "database and schema")


STORED: Final[dict[str, Callable[[Connection], Check]]] = {
    "breaker": checks.check_breakers,
    "worker": checks.check_workers,
    "queue": checks.check_queue,
    "clocks": checks.check_clocks,
    "rights": audit_checks.check_rights,
}
"""The checks that read the database, by name."""


def _is_usable(check: Check) -> bool:
    return check.state != "amiss"


def _run(name: str, check: Callable[[], str | Check]) -> Check:
    try:
        result = check()
    except psycopg.errors.LockNotAvailable:
        return Check(name, "amiss", LOCKED, "Find it in pg_stat_activity, and end it.")
    except (HrimsSyncError, psycopg.Error, OSError) as error:
        return Check(name, "amiss", messages.error_message(error))
    return result if isinstance(result, Check) else Check(name, "ok", result)


def _skip(name: str, requirement: str) -> Check:
    return Check(name, "amiss", f"Not checked: put {requirement} right first.")


def _with_connection(settings: Settings, check: Callable[[Connection], Check]) -> Check:
    with start.connection(settings) as conn, conn.transaction():
        store.limit_waits(conn)
        return check(conn)


def _instance(settings: Settings) -> Check:
    """Name the instance that this command means. Warn if only others run: their data is elsewhere."""
    meant = "DATABASE_URL" if settings.database_url else str(settings.state_dir)
    running = [item for item in instances.running() if item.is_embedded]
    is_meant = any(item.state_dir == str(settings.state_dir) for item in running)
    if settings.database_url or is_meant or not running:
        return Check("instance", "ok", f"this command looks at {meant}")
    message = f"This command looks at {meant}, which is not running. {instances.others(running)}"
    return Check("instance", "warning", message, "To look at the one that runs, set what is shown above.")


def _disk(settings: Settings) -> Check:
    if not settings.database_url:
        return checks.check_disk(settings.state_dir, settings.min_free_mb)
    with start.connection(settings, migrated=False) as conn:
        return checks.check_space_of_server(conn)


def _database(settings: Settings) -> str | Check:
    start.check_database_exists(settings)
    with start.connection(settings, migrated=False) as conn:
        if not db.can_write(conn):
            return Check("database", "amiss", READ_ONLY, MAKE_WRITABLE)
        version = conn.info.server_version
        kind = "DATABASE_URL" if settings.database_url else f"embedded, in {settings.state_dir}"
        pooler = ", behind a pooler: runs and cancels are noticed within 2 s" if db.is_pooled(conn) else ""
        return f"PostgreSQL {version // 10000}.{version % 10000}, {kind}{pooler}"


def _schema(settings: Settings) -> str | Check:
    with start.connection(settings, migrated=False) as conn:
        state = migrate.read_state(conn)
    if state.unknown:
        return Check("schema", "amiss", NEWER.format(state.unknown[-1]), RESTART)
    state.check_known()
    if state.missing_before:
        count = "1 migration is" if len(state.missing) == 1 else f"{len(state.missing)} migrations are"
        return Check("schema", "amiss", f"{count} missing.", "Run: hrims migrate")
    return messages.after_migrations(state.missing_after) if state.missing_after else "up to date"


def _remote(settings: Settings, *, is_stored: bool) -> Check:
    """Test the connection to HRIMS. ``is_stored`` says that the database can be asked for it."""
    stored = StoredConnection()
    if is_stored:
        with start.connection(settings, migrated=False) as conn:
            stored = read_connection(conn)
    connection = resolve_connection(settings, stored)
    steps = asyncio.run(check_connection(connection, TIMEOUT))
    states = {"failed": "amiss", "warning": "warning"}
    for found, state in states.items():
        if bad := next((step for step in steps if step.state == found), None):
            where = connection.address and f"{connection.address}, {bad.name}: "
            action = f"{bad.action} {_hint(connection)}".strip()
            return Check("remote", cast("State", state), f"{where}{bad.message}", action)
    seconds = next(step.milliseconds or 0 for step in steps if step.name == "Sign-in") / 1000
    times = ", ".join(f"{step.name} {step.milliseconds} ms" for step in steps)
    return Check("remote", "ok", f"{connection.address} answers in {seconds:.1f} s\n{times}")


def _hint(connection: RemoteConnection) -> str:
    """Return where the connection comes from, and so where it can be corrected."""
    match connection.sources["base_url"]:
        case Source.SIMULATOR:
            return "The simulator runs with `hrims up`; its log is in the state directory."
        case Source.PAGE:
            return "The connection is that of the page “HRIMS connection”."
        case Source.ENVIRONMENT:
            return "The connection is that of HRIMS_BASE_URL, HRIMS_API_KEY and HRIMS_TOKEN."
    return ""
