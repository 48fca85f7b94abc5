"""``hrims sync``: a vote code, TIN or person's number comes in; a run is queued and watched until it ends;
an exit code goes out.
"""

import sys
import time
from zoneinfo import ZoneInfo

import click
import psycopg

from hrims import db, steady
from hrims.cli import start
from hrims.cli.watch import Screen, screen
from hrims.config import Settings
from hrims.errors import NotFound
from hrims.follow import store
from hrims.follow.progress import Run
from hrims.jobs import ask
from hrims.jobs.ask_person import ask_person
from hrims.register import store as register

COMPLETE, FAILED, INCOMPLETE, INTERRUPTED = 0, 1, 3, 130
"""Exit codes."""

LOOK, LOOK_WHEN_AWAY = 0.25, 1.0
"""Seconds between two looks at a run, and at a database that is away."""

STOP_WAITING = "Ctrl-C stops the waiting and keeps the run."


@click.command("sync")
@click.option("--vote", metavar="CODE", help="The institution with this vote code, like 037.")
@click.option("--tin", metavar="TIN", help="The institution with this TIN.")
@click.option(
    "--person", metavar="KEY", help="One person by ZanID or payroll number; - reads it from standard input."
)
@click.option(
    "--page-size",
    type=int,
    metavar="N",
    default=ask.PAGE_SIZE,
    show_default=True,
    help=f"Records a page, 1 to {ask.MOST_A_PAGE}.",
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
        raise click.UsageError("Name one institution: --vote 037, or --tin 129673100; or one --person.")
    settings = start.settings()
    if person:
        asked = _ask_person(settings, person)
    else:
        asked = _ask(settings, "votecode" if vote else "tin", (vote or tin or "").strip(), page_size)
    words = "is under way already" if asked.deduplicated else "is queued"
    click.echo(f"Run {asked.run_id} for {asked.institution} {words}.")
    if wait:
        sys.exit(_watch(settings, asked.run_id))


def _ask(settings: Settings, identifier_type: str, identifier: str, page_size: int) -> ask.Asked:
    with start.connection(settings) as conn:
        institution = register.institution_by(conn, identifier_type, identifier)
        if not institution:
            raise NotFound(_unknown(conn, identifier_type, identifier))
        return ask.ask(
            conn,
            start.operator(),
            institution_id=institution.id,
            identifier_type=identifier_type,
            identifier=identifier,
            page_size=page_size,
        )


def _unknown(conn: db.Connection, identifier_type: str, identifier: str) -> str:
    word = ask.IDENTIFIERS[identifier_type]
    message = f"No institution on the register has the {word} {identifier}. Nothing was queued."
    meant = register.differing_in_zeros(conn, identifier) if identifier_type == "votecode" else None
    return f"{message} Did you mean {meant.vote_code}, {meant.name}?" if meant else message


def _ask_person(settings: Settings, given: str) -> ask.Asked:
    # From standard input it is in no list of processes and in no history of the shell.
    key = sys.stdin.readline() if given == "-" else given
    with start.connection(settings) as conn:
        return ask_person(conn, start.operator(), key)


def _watch(settings: Settings, run_id: int) -> int:
    try:
        with screen() as shown:
            run = _follow(settings, run_id, shown)
    except KeyboardInterrupt:
        click.echo("\nNo longer watching. The run goes on; see it on the page or ask again.", err=True)
        return INTERRUPTED
    _tell(run)
    if run.state != "completed":
        return FAILED
    return INCOMPLETE if run.outcome == "incomplete" else COMPLETE


def _follow(settings: Settings, run_id: int, shown: Screen) -> Run:
    """Shows the run until it has ended; a database that is away is waited for."""
    away = False
    while True:
        try:
            with db.connect(db.dsn_of(settings)) as conn:
                if away:
                    shown.say("The database is back.")
                away = False
                return _until_it_ends(conn, run_id, shown, settings.time_zone)
        except psycopg.Error as error:
            if not steady.is_outage(error):
                raise
            if not away:
                shown.say("The database is away; waiting for it. Ctrl-C ends the watching alone.")
            away = True
            time.sleep(LOOK_WHEN_AWAY)


def _until_it_ends(conn: db.Connection, run_id: int, shown: Screen, zone: ZoneInfo) -> Run:
    said = ""
    while True:
        run = store.read(conn, run_id)
        if run is None:
            raise NotFound("This run is no longer there.")
        shown.show(run)
        if run.ended:
            return run
        trouble = _trouble(run, zone)
        if trouble and trouble != said:
            shown.say(trouble)
        said = trouble
        time.sleep(LOOK)


def _trouble(run: Run, zone: ZoneInfo) -> str:
    """What a bar cannot show."""
    if not run.a_worker_lives:
        return _no_worker(run.pool)
    if run.starts_at:
        return f"{run.message} It starts at about {run.starts_at.astimezone(zone):%H:%M %Z}."
    told = run.note or run.paused_by or run.not_asked or run.quiet or run.not_before
    return run.message if told or run.state == "delayed" else ""


def _no_worker(pool: str | None) -> str:
    if pool:
        which, start_it = f"worker of the pool {pool}", f"hrims worker --pool {pool}"
    else:
        which, start_it = "worker", "hrims worker, or everything: make run"
    return (
        f"No {which} is running; the run waits. {STOP_WAITING} Start a worker in another terminal: {start_it}"
    )


def _tell(run: Run) -> None:
    click.echo(run.message)
    if run.outcome and run.kind != "person":
        click.echo(
            f"{run.people:,} people: {run.new:,} new, {run.changed:,} changed, {run.unchanged:,} unchanged; "
            f"{run.rejected:,} rejected; {run.unmatched:,} without an institution, because "
            "their workplace is empty or not on the register."
        )
        if run.leavers or run.leavers_waiting:
            click.echo(f"{run.leavers:,} left; {run.leavers_waiting:,} wait for a second person's approval.")
