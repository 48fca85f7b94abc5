"""``hrims doctor``: checks database, schema, remote and worker, and says what to do."""

import asyncio
import sys
from collections.abc import Callable

import click
import psycopg

from hrims import db, migrate
from hrims.cli import start, words
from hrims.config import Settings
from hrims.errors import DatabaseUnusable, HrimsSyncError, RemoteCredentials, RemoteError, RemoteTimeout
from hrims.jobs.workers import store as workers
from hrims.jobs.workers.store import Pool
from hrims.remote.address import address_of
from hrims.remote.client import Remote

PATIENCE = 60.0
"""Seconds that HRIMS has to answer; one employee takes it 30 at worst."""

TRIES = 3
"""Times that HRIMS is asked: it fails now and then, however well it is."""

INDENT = " " * 18
"""Before the further lines of what is amiss."""

READ_ONLY = (
    "The database is read-only: pages can be read, nothing can be saved, and runs wait. Either it is a "
    "standby (with several hosts in DATABASE_URL, add target_session_attrs=read-write), or "
    "default_transaction_read_only is on, which some hosts set when the disk is nearly full. "
    "Runs continue as soon as it accepts writes; restart nothing."
)

PAUSE = 1.0
"""Seconds between two tries."""


@click.command("doctor")
def doctor_command() -> None:
    """Check database, schema, remote and worker, and say what to do. Exit code 1 if anything is amiss."""
    settings = start.settings()
    database = _report("database", _database, settings)
    schema = _report("schema", _schema if database else _not_without("the database"), settings)
    remote = _report("remote", _remote, settings)
    worker = _report("worker", _worker if schema else _not_without("database and schema"), settings)
    sys.exit(0 if database and schema and remote and worker else 1)


def _report(name: str, check: Callable[[Settings], str], settings: Settings) -> bool:
    try:
        click.echo(f"ok      {name:10}{check(settings)}")
    except (HrimsSyncError, psycopg.Error, OSError) as reason:
        lines = [" ".join(line.split()) for line in words.of(reason).splitlines()]
        click.echo(f"amiss   {name:10}" + f"\n{INDENT}".join(filter(None, lines)))
        return False
    return True


def _not_without(what: str) -> Callable[[Settings], str]:
    def check(settings: Settings) -> str:
        raise HrimsSyncError(f"Not checked: put {what} right first.")

    return check


def _database(settings: Settings) -> str:
    start.check_there(settings)
    with start.connection(settings, migrated=False) as conn:
        if not db.can_write(conn):
            raise DatabaseUnusable(READ_ONLY)
        version = conn.info.server_version
        kind = "DATABASE_URL" if settings.database_url else f"embedded, in {settings.state_dir}"
        pooler = ", behind a pooler: runs and cancels are noticed within 2 s" if db.is_pooled(conn) else ""
        return f"PostgreSQL {version // 10000}.{version % 10000}, {kind}{pooler}"


def _schema(settings: Settings) -> str:
    with start.connection(settings, migrated=False) as conn:
        missing = migrate.pending(conn)
    if missing:
        count = "1 migration is" if len(missing) == 1 else f"{len(missing)} migrations are"
        raise HrimsSyncError(f"{count} missing. Run: hrims migrate")
    return "up to date"


def _remote(settings: Settings) -> str:
    address = address_of(settings)

    async def ask() -> None:
        async with asyncio.timeout(PATIENCE), Remote(settings, base_url=address) as remote:
            await _check(remote)

    try:
        asyncio.run(ask())
    except TimeoutError:
        raise RemoteTimeout(
            f"{address} did not answer within {PATIENCE:.0f} s. {_remedy(settings)}"
        ) from None
    except RemoteCredentials:
        raise  # its words say what to do
    except RemoteError as reason:
        raise HrimsSyncError(f"{reason} {_remedy(settings)}") from None
    return f"{address} answers"


async def _check(remote: Remote) -> None:
    for left in reversed(range(TRIES)):
        try:
            await remote.check()
        except RemoteError as reason:
            if not reason.again or not left:
                raise
            await asyncio.sleep(PAUSE)
        else:
            return


def _remedy(settings: Settings) -> str:
    if settings.base_url:
        return "Look at HRIMS_BASE_URL, and whether this machine may reach it."
    return "The simulator runs with `hrims up`; its log is in the state directory."


def _worker(settings: Settings) -> str:
    with start.connection(settings) as conn:
        alive = workers.alive(conn)
        deserted = [one for one in workers.pools(conn) if one.is_deserted]
    if not alive:
        raise HrimsSyncError("No worker is running; runs wait. Start one: hrims worker, or all: make run")
    if deserted:
        raise HrimsSyncError(" ".join(map(_deserted, deserted)))
    return "1 worker is alive" if alive == 1 else f"{alive} workers are alive"


def _deserted(pool: Pool) -> str:
    who, command = (
        (f"the pool {pool.name}", f"hrims worker --pool {pool.name}")
        if pool.name
        else ("institutions of no pool", "hrims worker")
    )
    return f"No worker serves {who}: their runs wait. Start one: {command}."
