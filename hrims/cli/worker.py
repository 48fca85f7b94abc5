"""``hrims worker``: runs a worker until a signal stops it."""

import asyncio

import click

from hrims.cli import leash, start


@click.command("worker")
def worker_command() -> None:
    """Run a worker until a signal stops it."""
    settings = start.settings()
    leash.hold()
    # Imported here, after the settings are known to be good, because the app reads them on import.
    from hrims.jobs.supervisor import keep_working  # noqa: PLC0415 - it reads the settings

    asyncio.run(keep_working(settings))
