"""``hrims sync``: enqueue a run and watch it until it ends.

Input: a vote code, a TIN, or on standard input the ZanID or payroll number of a person. Output: an exit code.
"""

import logging
import sys
import time
from zoneinfo import ZoneInfo

import click
import psycopg

from hrims import db, resilience
from hrims.access.permissions import Permission
from hrims.access.scope import EVERYTHING, Scope
from hrims.cli import start
from hrims.cli.follow import Screen, screen
from hrims.config import Settings
from hrims.errors import NotFound
from hrims.installation import START_COMMAND
from hrims.institutions import store as institution_store
from hrims.jobs import enqueue
from hrims.jobs.enqueue_person import enqueue_person
from hrims.runs import store
from hrims.runs.model import Run

COMPLETE, FAILED, INCOMPLETE, INTERRUPTED = 0, 1, 3, 130
"""Exit codes."""

UNAVAILABLE = "The database is unavailable; waiting for it. Ctrl-C ends only this command."

POLL_SECONDS, RECONNECT_SECONDS = 0.25, 1.0
"""Seconds between two polls of a run, and between two connection attempts to an unavailable database."""

PERSON_AS_ARGUMENT = (
    "Give the ZanID or payroll number on standard input: --person -. As an argument, other users of this "
    "machine see it in the list of processes, and the shell keeps it in its history. Nothing was queued."
)

STOP_WAITING = "Ctrl-C stops the waiting and keeps the run."


@click.command("sync")
@click.option("--vote", metavar="CODE", help="The institution with this vote code, like 037.")
@click.option("--tin", metavar="TIN", help="The institution with this TIN.")
@click.option("--person", metavar="-", help="One person, by the ZanID or payroll number on standard input.")
@click.option(
    "--page-size",
    type=click.IntRange(1, enqueue.MAX_PAGE_SIZE),
    metavar="N",
    default=enqueue.PAGE_SIZE,
    show_default=True,
    help=f"Records a page, 1 to {enqueue.MAX_PAGE_SIZE}.",
)
@click.option("--wait/--no-wait", default=True, help="Watch until the run ends (default), or only queue it.")
def sync_command(vote: str | None, tin: str | None, person: str | None, page_size: int, wait: bool) -> None:
    """Bring one institution, or one person, up to date and watch.

    A worker does the work; Ctrl-C ends the watching, not the run.

    \b
    Exit codes: 0 complete, 3 incomplete, 1 failed, cancelled or refused,
    2 wrong options, 130 no longer watched.
    """
    if sum(map(bool, (vote, tin, person))) != 1:
        raise click.UsageError(
            "Name one institution: --vote 037, or --tin 129673100; or one person: --person -"
        )
    if person and person != "-":
        raise click.UsageError(PERSON_AS_ARGUMENT)
    settings = start.settings()
    if person:
        result = _enqueue_person(settings)
    else:
        result = _enqueue(settings, "votecode" if vote else "tin", (vote or tin or "").strip(), page_size)
    status = "is under way already" if result.deduplicated else "is queued"
    click.echo(f"Run {result.run_id} for {result.institution} {status}.")
    if wait:
        sys.exit(_watch(settings, result.run_id))


def _enqueue(
    settings: Settings, identifier_type: str, identifier: str, page_size: int
) -> enqueue.EnqueueResult:
    with start.connection(settings) as conn:
        actor = start.acting_user(conn, settings, Permission.SYNC)
        institution = institution_store.find_institution_by(conn, identifier_type, identifier)
        if not institution or not actor.scope.covers(institution.id):
            raise NotFound(_unknown(conn, actor.scope, identifier_type, identifier))
        return enqueue.enqueue_run(
            conn,
            actor,
            institution_id=institution.id,
            identifier_type=identifier_type,
            identifier=identifier,
            page_size=page_size,
        )


def _unknown(conn: db.Connection, scope: Scope, identifier_type: str, identifier: str) -> str:
    noun = enqueue.IDENTIFIERS[identifier_type]
    which = "No institution on the register" if scope.is_everything else "None of the user's institutions"
    message = f"{which} has the {noun} {identifier}. Nothing was queued."
    similar = (
        institution_store.find_differing_in_zeros(conn, identifier) if identifier_type == "votecode" else None
    )
    if not similar or not scope.covers(similar.id):
        return message
    return f"{message} Did you mean {similar.vote_code}, {similar.name}?"


def _enqueue_person(settings: Settings) -> enqueue.EnqueueResult:
    is_typed = sys.stdin.isatty()
    key = click.prompt("ZanID or payroll number", err=True) if is_typed else sys.stdin.readline()
    with start.connection(settings) as conn:
        return enqueue_person(conn, start.acting_user(conn, settings, Permission.SYNC), key)


def _watch(settings: Settings, run_id: int) -> int:
    # Ctrl-C may interrupt a statement. psycopg then warns that it cannot roll back.
    logging.getLogger("psycopg").setLevel(logging.ERROR)
    try:
        with screen() as output:
            run = _follow(settings, run_id, output)
    except KeyboardInterrupt:
        click.echo(
            f"\nStopped watching. Run {run_id} was not cancelled. Repeat the command to watch it.", err=True
        )
        return INTERRUPTED
    _print_result(run)
    if run.state != "completed":
        return FAILED
    return INCOMPLETE if run.outcome == "incomplete" else COMPLETE


def _follow(settings: Settings, run_id: int, output: Screen) -> Run:
    """Show the run until it ends; wait while the database is unavailable."""
    is_unavailable = False
    while True:
        try:
            with db.connect(db.dsn_of(settings)) as conn:
                if is_unavailable:
                    output.print_message("The database is back.")
                is_unavailable = False
                return _until_it_ends(conn, run_id, output, settings.time_zone)
        except psycopg.Error as error:
            if not resilience.is_outage(error):
                raise
            if not is_unavailable:
                output.print_message(UNAVAILABLE)
            is_unavailable = True
            time.sleep(RECONNECT_SECONDS)


def _until_it_ends(conn: db.Connection, run_id: int, output: Screen, zone: ZoneInfo) -> Run:
    last_message = ""
    while True:
        run = store.find_run(conn, EVERYTHING, run_id)
        if run is None:
            raise NotFound("This run is no longer there.")
        output.show(run)
        if run.ended:
            return run
        message = describe_wait(run, zone)
        if message and message != last_message:
            output.print_message(message)
        last_message = message
        time.sleep(POLL_SECONDS)


def describe_wait(run: Run, zone: ZoneInfo) -> str:
    """Return why a run does not make progress, as the page shows it, or an empty text if it does."""
    if not run.a_worker_lives:
        return _no_worker(run.pool)
    if run.wait_code in {None, "queued"}:
        return run.note or ""
    if run.waits_until:
        event, at = run.waits_until
        return f"{run.message} {event} {at.astimezone(zone):%H:%M %Z}."
    return run.message


def _no_worker(pool: str | None) -> str:
    if pool:
        worker, command = f"worker of the pool {pool}", f"hrims worker --pool {pool}"
    else:
        worker, command = "worker", f"hrims worker, or everything: {START_COMMAND}"
    return (
        f"No {worker} is running; the run waits. {STOP_WAITING} Start a worker in another terminal: {command}"
    )


def _print_result(run: Run) -> None:
    click.echo(run.message)
    if run.outcome and run.kind != "person":
        click.echo(
            f"{run.people:,} people: {run.new:,} new, {run.changed:,} changed, {run.unchanged:,} unchanged; "
            f"{run.rejected:,} rejected; {run.unmatched:,} without an institution, because "
            "their workplace is empty or not on the register."
        )
        if run.leavers or run.leavers_waiting:
            click.echo(f"{run.leavers:,} left; {run.leavers_waiting:,} wait for a second person's approval.")
