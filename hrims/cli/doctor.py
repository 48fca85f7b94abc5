"""``hrims doctor``: checks database, schema, remote and worker, and says what to do."""

import asyncio
import sys
from collections.abc import Callable

import click
import psycopg

from hrims import db, migrate
from hrims.cli import start
from hrims.config import Settings
from hrims.errors import HrimsSyncError
from hrims.jobs import store as jobs
from hrims.remote.address import address_of
from hrims.remote.client import Remote


@click.command("doctor")
def doctor_command() -> None:
    """Check database, schema, remote and worker, and say what to do. Exit code 1 if anything is amiss."""
    settings = start.settings()
    checks: list[tuple[str, Callable[[Settings], str]]] = [
        ("database", _database),
        ("schema", _schema),
        ("remote", _remote),
        ("worker", _worker),
    ]
    well = [_report(name, check, settings) for name, check in checks]
    sys.exit(0 if all(well) else 1)


def _report(name: str, check: Callable[[Settings], str], settings: Settings) -> bool:
    try:
        click.echo(f"ok       {name:9} {check(settings)}")
    except (HrimsSyncError, psycopg.Error) as reason:
        click.echo(f"amiss    {name:9} {str(reason).strip().splitlines()[0]}")
        return False
    return True


def _database(settings: Settings) -> str:
    with start.connection(settings, migrated=False) as conn:
        version = conn.info.server_version
        kind = "DATABASE_URL" if settings.database_url else "embedded"
        return f"PostgreSQL {version // 10000}.{version % 10000}, {kind}"


def _schema(settings: Settings) -> str:
    with start.connection(settings, migrated=False) as conn:
        missing = migrate.pending(conn)
    if missing:
        raise HrimsSyncError(f"{len(missing)} migrations are missing. Run: hrims migrate")
    return "up to date"


def _remote(settings: Settings) -> str:
    address = address_of(settings)

    async def ask() -> None:
        async with Remote(settings, base_url=address) as remote:
            await remote.check()

    asyncio.run(ask())
    return f"{address} answers"


def _worker(settings: Settings) -> str:
    with psycopg.connect(db.dsn_of(settings), autocommit=True) as conn:
        alive = jobs.live_workers(conn)
    if not alive:
        raise HrimsSyncError("no worker is running; runs wait. Start one: hrims worker, or all: make run")
    return "1 worker is alive" if alive == 1 else f"{alive} workers are alive"
