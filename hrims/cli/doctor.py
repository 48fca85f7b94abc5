"""``hrims doctor``: check the whole product, and print what to do."""

import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

import click
import psycopg

from hrims import db, instances, migrate
from hrims.cli import messages, start
from hrims.config import Settings
from hrims.db import Connection
from hrims.errors import HrimsSyncError, RemoteCredentials, RemoteError
from hrims.monitoring import checks, store
from hrims.monitoring.checks import Check
from hrims.remote.base_url import base_url_of
from hrims.remote.client import Remote

TIMEOUT = 60.0
"""Seconds that HRIMS has to respond; one employee takes up to 30."""

ATTEMPTS = 3
"""Number of requests to HRIMS, because even a healthy HRIMS fails now and then."""

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

PAUSE = 1.0
"""Seconds between two tries."""

SLOW_SECONDS = 5.0
"""Seconds of a request for no employee from which HRIMS counts as slow."""


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
    yield _run("remote", partial(_remote, settings))
    stored: dict[str, Callable[[Connection], Check]] = {
        "secrets": partial(checks.check_secrets, settings=settings),
        **STORED,
    }
    for name, check in stored.items():
        if _is_usable(schema):
            yield _run(name, partial(_with_connection, settings, check))
        else:
            yield _skip(name, "database and schema")


STORED: Final = {
    "breaker": checks.check_breakers,
    "worker": checks.check_workers,
    "queue": checks.check_queue,
    "clocks": checks.check_clocks,
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


def _remote(settings: Settings) -> str | Check:
    address = base_url_of(settings)

    async def send_request() -> float:
        async with asyncio.timeout(TIMEOUT), Remote(settings, base_url=address) as remote:
            return await _check(remote)

    try:
        seconds = asyncio.run(send_request())
    except TimeoutError:
        return Check("remote", "amiss", f"{address} did not answer within {TIMEOUT:.0f} s.", _hint(settings))
    except RemoteCredentials:
        raise  # its message says what to do
    except RemoteError as error:
        return Check("remote", "amiss", str(error), _hint(settings))
    if seconds < SLOW_SECONDS:
        return f"{address} answers in {seconds:.1f} s"
    message = f"{address} is slow: it answers in {seconds:.1f} s. Runs take longer; nothing is lost."
    return Check("remote", "warning", message, "Tell the operators of HRIMS.")


async def _check(remote: Remote) -> float:
    """Return the seconds of the first request that HRIMS answers."""
    for attempts_left in reversed(range(ATTEMPTS)):
        began_at = time.monotonic()
        try:
            await remote.check()
            break
        except RemoteError as error:
            if not error.is_retryable or not attempts_left:
                raise
            await asyncio.sleep(PAUSE)
    return time.monotonic() - began_at


def _hint(settings: Settings) -> str:
    if settings.base_url:
        return "Look at HRIMS_BASE_URL, and whether this machine may reach it."
    return "The simulator runs with `hrims up`; its log is in the state directory."
