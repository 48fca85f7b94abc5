"""``hrims sync``: a vote code or TIN comes in; a run is queued, a live bar goes out until it ends."""

import sys
import time

import click
import psycopg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from hrims import db
from hrims.cli import start
from hrims.config import Settings
from hrims.errors import NotFound
from hrims.jobs import ask
from hrims.register import store as register
from hrims.sync import store
from hrims.sync.progress import Run

COMPLETE, FAILED, INCOMPLETE, INTERRUPTED = 0, 1, 3, 130
"""Exit codes."""

LOOK = 0.25
"""Seconds between two looks at a run."""


@click.command("sync")
@click.option("--vote", metavar="CODE", help="The institution with this vote code, like 037.")
@click.option("--tin", metavar="TIN", help="The institution with this TIN.")
@click.option("--page-size", type=int, default=ask.PAGE_SIZE, show_default=True, help="Records a page.")
@click.option("--wait/--no-wait", default=True, help="Watch until the run ends, or only queue it.")
def sync_command(vote: str | None, tin: str | None, page_size: int, wait: bool) -> None:
    """Bring one institution up to date and watch.

    Exit code 0: complete; 3: incomplete; 1: failed or refused.
    """
    if bool(vote) == bool(tin):
        raise click.UsageError("Name one institution: --vote 037, or --tin 129673100.")
    settings = start.settings()
    asked = _ask(settings, "votecode" if vote else "tin", vote or tin or "", page_size)
    words = "is under way already" if asked.deduplicated else "is queued"
    click.echo(f"Run {asked.run_id} for {asked.institution} {words}.")
    if wait:
        sys.exit(_watch(settings, asked.run_id))


def _ask(settings: Settings, identifier_type: str, identifier: str, page_size: int) -> ask.Asked:
    with start.connection(settings) as conn:
        institution = register.institution_by(conn, identifier_type, identifier)
        if not institution:
            word = ask.IDENTIFIERS[identifier_type]
            raise NotFound(f"No institution on the register has the {word} {identifier}. Nothing was queued.")
        return ask.ask(
            conn,
            start.operator(),
            institution_id=institution.id,
            identifier_type=identifier_type,
            identifier=identifier,
            page_size=page_size,
        )


def _watch(settings: Settings, run_id: int) -> int:
    try:
        run = _follow(settings, run_id)
    except KeyboardInterrupt:
        click.echo("\nNo longer watching. The run goes on; see it on the page or ask again.", err=True)
        return INTERRUPTED
    _tell(run)
    if run.state != "completed":
        return FAILED
    return INCOMPLETE if run.outcome == "incomplete" else COMPLETE


def _follow(settings: Settings, run_id: int) -> Run:
    """Shows the bar until the run has ended; a database that is away is waited for."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )
    with bar:
        shown = bar.add_task("Waiting", total=None)
        while True:
            try:
                with psycopg.connect(db.dsn_of(settings), autocommit=True) as conn:
                    return _until_it_ends(conn, run_id, bar, shown)
            except psycopg.OperationalError:
                bar.update(shown, description="The database is away; waiting for it")
                time.sleep(1)


def _until_it_ends(conn: db.Connection, run_id: int, bar: Progress, shown: TaskID) -> Run:
    said = ""
    while True:
        run = store.read(conn, run_id)
        if run is None:
            raise NotFound("This run is no longer there.")
        bar.update(
            shown,
            description=run.state.capitalize(),
            completed=run.saved + run.rejected + run.repeated,
            total=run.remote_total,
        )
        # The bar shows how far it is; in words only what the bar cannot show.
        trouble = run.message if run.note or run.state == "delayed" or not run.a_worker_lives else ""
        if trouble and trouble != said and not run.ended:
            bar.console.print(trouble, highlight=False, markup=False)
        said = trouble
        if run.ended:
            return run
        time.sleep(LOOK)


def _tell(run: Run) -> None:
    click.echo(run.message)
    if run.outcome:
        click.echo(
            f"{run.people:,} people: {run.new:,} new, {run.changed:,} changed, {run.unchanged:,} unchanged; "
            f"{run.rejected:,} rejected; {run.unmatched:,} at workplaces that the register does not know."
        )
