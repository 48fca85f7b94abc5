"""``hrims worker``: run a worker until a signal stops it."""

import asyncio
import gc
import importlib
import os
import sys

import click

from hrims import instances, log
from hrims.cli import parent_watch, start
from hrims.config import Settings
from hrims.config.values import pool_name
from hrims.jobs import liveness

PRELOADED_MODULES = ("httpcore", "anyio._backends._asyncio")
"""Modules that httpx would load during the first request, which would delay the first page."""

GC_THRESHOLD = 10_000
"""Allocations before the garbage collector runs; a page allocates some thousands of objects."""


@click.command("worker")
@click.option("--pool", metavar="NAME", help="Serve only the institutions that are tied to this pool.")
@click.option(
    "--probe", is_flag=True, help="Do not start one: exit with 0 if the workers of this host are well."
)
def worker_command(pool: str | None, probe: bool) -> None:
    """Run a worker until a signal stops it."""
    if probe:
        sys.exit(_probe(start.settings()))
    if pool is not None:
        try:
            # An empty name means no pool, whatever the environment says.
            if pool:
                pool_name(pool)
        except ValueError as hint:
            raise click.BadParameter(f"{pool!r} is not valid; {hint}.", param_hint="--pool") from None
        # The queue's app reads the environment, as it does when Procrastinate's own command runs it.
        os.environ["HRIMS_POOL"] = pool
    settings = start.settings()
    # Check it here and not only in `dsn_of`: a supervised worker would otherwise retry the
    # connection until it is cancelled.
    if not settings.database_url:
        instances.check_meant(settings, os.environ)
    parent_watch.watch_parent()
    # Imported only after the settings are known to be valid, because the app reads them on import.
    from hrims.jobs.queue import app  # noqa: PLC0415 - it reads the settings
    from hrims.jobs.supervisor import run_worker  # noqa: PLC0415 - it reads the settings
    from hrims.monitoring.task import start_once  # noqa: PLC0415 - it imports the queue

    app.perform_import_paths()  # type: ignore[no-untyped-call] # Procrastinate does not annotate it
    for name in PRELOADED_MODULES:
        importlib.import_module(name)
    _reduce_garbage_collection()
    log.log_printed_lines()
    log.log_uncaught_errors()
    start_once(settings)
    asyncio.run(run_worker(settings))


def _probe(settings: Settings) -> int:
    """Print what the worker processes of this host do. Return 0 if there is one and none is silent."""
    signs = liveness.list_signs()
    for sign in signs:
        is_silent = sign.age > settings.silent_seconds
        said = f"has been silent for {sign.age:.0f} s. Restart it" if is_silent else f"is {sign.status}"
        click.echo(f"Worker process {sign.pid} {said}.")
    if not signs:
        click.echo("No worker of this user runs on this host. Start one: hrims worker")
    return int(not signs or any(sign.age > settings.silent_seconds for sign in signs))


def _reduce_garbage_collection() -> None:
    """Make the garbage collector run rarely.

    Few objects here form reference cycles, which only the collector frees. Loaded modules are excluded from
    collection. With its defaults, the collector takes a tenth of the time of a run.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 10, 10)
