"""``hrims worker``: runs a worker until a signal stops it."""

import asyncio
import gc
import importlib
import os

import click

from hrims import instances
from hrims.cli import leash, start
from hrims.config.values import pool_name

LATE = ("httpcore", "anyio._backends._asyncio")
"""Modules that httpx would load at the first request, of which the first page would be late."""

YOUNG = 10_000
"""Objects that are made before the collector looks through them; a page makes some thousands."""


@click.command("worker")
@click.option("--pool", metavar="NAME", help="Serve only the institutions that are tied to this pool.")
def worker_command(pool: str | None) -> None:
    """Run a worker until a signal stops it."""
    if pool is not None:
        try:
            # An empty one says none, whatever the environment says.
            if pool:
                pool_name(pool)
        except ValueError as hint:
            raise click.BadParameter(f"{pool!r} does not do; {hint}.", param_hint="--pool") from None
        # The queue's app reads the environment, as it does below Procrastinate's own command.
        os.environ["HRIMS_POOL"] = pool
    settings = start.settings()
    # Here and not only in `dsn_of`, because a supervised worker would wait for a database for ever.
    if not settings.database_url:
        instances.check_meant(settings, os.environ)
    leash.hold()
    # Imported here, after the settings are known to be good, because the app reads them on import.
    from hrims.jobs.queue import app  # noqa: PLC0415 - it reads the settings
    from hrims.jobs.supervisor import keep_working  # noqa: PLC0415 - it reads the settings

    app.perform_import_paths()  # type: ignore[no-untyped-call] # Procrastinate gives it no type
    for name in LATE:
        importlib.import_module(name)
    _collect_seldom()
    asyncio.run(keep_working(settings))


def _collect_seldom() -> None:
    """Hardly anything here is a ring that only the collector frees: what is loaded is not looked through
    again, what is made seldom. With its defaults it takes a tenth of a run.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 10, 10)
