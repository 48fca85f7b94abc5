"""``hrims doctor``: check database, schema, HRIMS and worker, and print what to do."""

import asyncio
import sys
from collections.abc import Callable

import click
import psycopg

from hrims import db, migrate
from hrims.cli import messages, start
from hrims.config import Settings
from hrims.errors import DatabaseUnusable, HrimsSyncError, RemoteCredentials, RemoteError, RemoteTimeout
from hrims.installation import START_COMMAND
from hrims.jobs.rate_limit.store import read_queue
from hrims.jobs.workers import store as workers
from hrims.jobs.workers.store import Pool
from hrims.remote.base_url import base_url_of
from hrims.remote.client import Remote

TIMEOUT = 60.0
"""Seconds that HRIMS has to respond; one employee takes up to 30."""

ATTEMPTS = 3
"""Number of requests to HRIMS, because even a healthy HRIMS fails now and then."""

INDENT = " " * 18
"""Indent of the continuation lines of an error."""

READ_ONLY = (
    "The database is read-only: pages can be read, nothing can be saved, and runs wait. Either it is a "
    "standby (with several hosts in DATABASE_URL, add target_session_attrs=read-write), or "
    "default_transaction_read_only is on, which some hosts set when the disk is nearly full. "
    "Runs continue as soon as it accepts writes; restart nothing."
)

NEWER = (
    "This database is newer than this code: it holds {}. Web processes and workers that started before "
    "continue, and refuse to start again. Restart them with the newer version of HRIMS Sync."
)

PAUSE = 1.0
"""Seconds between two tries."""


@click.command("doctor")
def doctor_command() -> None:
    """Check database, schema, remote and worker, and say what to do. Exit code 1 if anything is amiss."""
    settings = start.settings()
    database = _report("database", _database, settings)
    schema = _report("schema", _schema if database else _skip("the database"), settings)
    remote = _report("remote", _remote, settings)
    worker = _report("worker", _worker if schema else _skip("database and schema"), settings)
    sys.exit(0 if database and schema and remote and worker else 1)


def _report(name: str, check: Callable[[Settings], str], settings: Settings) -> bool:
    try:
        click.echo(f"ok      {name:10}{check(settings)}")
    except (HrimsSyncError, psycopg.Error, OSError) as error:
        lines = [" ".join(line.split()) for line in messages.error_message(error).splitlines()]
        click.echo(f"amiss   {name:10}" + f"\n{INDENT}".join(filter(None, lines)))
        return False
    return True


def _skip(requirement: str) -> Callable[[Settings], str]:
    def check(settings: Settings) -> str:
        raise HrimsSyncError(f"Not checked: put {requirement} right first.")

    return check


def _database(settings: Settings) -> str:
    start.check_database_exists(settings)
    with start.connection(settings, migrated=False) as conn:
        if not db.can_write(conn):
            raise DatabaseUnusable(READ_ONLY)
        version = conn.info.server_version
        kind = "DATABASE_URL" if settings.database_url else f"embedded, in {settings.state_dir}"
        pooler = ", behind a pooler: runs and cancels are noticed within 2 s" if db.is_pooled(conn) else ""
        return f"PostgreSQL {version // 10000}.{version % 10000}, {kind}{pooler}"


def _schema(settings: Settings) -> str:
    with start.connection(settings, migrated=False) as conn:
        state = migrate.read_state(conn)
    if state.unknown:
        raise HrimsSyncError(NEWER.format(state.unknown[-1]))
    state.check_known()
    if state.missing_before:
        count = "1 migration is" if len(state.missing) == 1 else f"{len(state.missing)} migrations are"
        raise HrimsSyncError(f"{count} missing. Run: hrims migrate")
    return messages.after_migrations(state.missing_after) if state.missing_after else "up to date"


def _remote(settings: Settings) -> str:
    address = base_url_of(settings)

    async def send_request() -> None:
        async with asyncio.timeout(TIMEOUT), Remote(settings, base_url=address) as remote:
            await _check(remote)

    try:
        asyncio.run(send_request())
    except TimeoutError:
        raise RemoteTimeout(f"{address} did not answer within {TIMEOUT:.0f} s. {_hint(settings)}") from None
    except RemoteCredentials:
        raise  # its message says what to do
    except RemoteError as error:
        raise HrimsSyncError(f"{error} {_hint(settings)}") from None
    return f"{address} answers"


async def _check(remote: Remote) -> None:
    for attempts_left in reversed(range(ATTEMPTS)):
        try:
            await remote.check()
        except RemoteError as error:
            if not error.again or not attempts_left:
                raise
            await asyncio.sleep(PAUSE)
        else:
            return


def _hint(settings: Settings) -> str:
    if settings.base_url:
        return "Look at HRIMS_BASE_URL, and whether this machine may reach it."
    return "The simulator runs with `hrims up`; its log is in the state directory."


def _worker(settings: Settings) -> str:
    with start.connection(settings) as conn:
        alive = workers.count_alive(conn)
        unserved = [pool for pool in workers.list_pools(conn) if pool.has_no_worker]
        queue = read_queue(conn)
    if not alive:
        raise HrimsSyncError(
            f"No worker is running; runs wait. Start one: hrims worker, or all: {START_COMMAND}"
        )
    if unserved:
        raise HrimsSyncError(" ".join(map(_describe_unserved, unserved)))
    message = "1 worker is alive" if alive == 1 else f"{alive} workers are alive"
    return f"{message}; no run starts: {queue.paused_by} paused the queue" if queue.paused_at else message


def _describe_unserved(pool: Pool) -> str:
    institutions, command = (
        (f"the pool {pool.name}", f"hrims worker --pool {pool.name}")
        if pool.name
        else ("institutions of no pool", "hrims worker")
    )
    return f"No worker serves {institutions}: their runs wait. Start one: {command}."
