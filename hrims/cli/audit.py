"""``hrims audit``: verify the audit trail, and export it."""

import itertools
import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, Final

import click

from hrims.access.audit import record
from hrims.access.permissions import Permission
from hrims.audit import export, heads, sequencer
from hrims.audit.diagnosis import Finding
from hrims.audit.store import Head
from hrims.audit.verification import Verified, verify
from hrims.cli import start
from hrims.db import can_write
from hrims.errors import Conflict

FOUND, NO_HEADS = 3, 4
"""Exit codes of ``hrims audit verify``: a finding; intact, but compared with no head from outside."""

MESSAGES: Final = {
    "altered": "{place} was altered.",
    "removed": "{place} was removed.",
    "inserted": "{place} was inserted.",
    "reordered": "{place} is not where it was written.",
    "rewritten": "The chain was written again, from {place} or a later one on.",
}

ADVICE: Final = "Change nothing, and follow “If the audit trail is not intact” in docs/how-to/operate.md."


@click.group("audit")
def audit_command() -> None:
    """Verify or export the audit trail."""


@audit_command.command("verify")
@click.option(
    "--heads",
    "files",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="File of heads, as workers write it; may be repeated. Default: HRIMS_AUDIT_HEADS.",
)
def verify_command(files: tuple[Path, ...]) -> None:
    """Verify the whole trail. Name the first record that was altered, removed, inserted or reordered.

    Exit code 0: intact. 3: not intact. 4: intact, but there was no head from outside the database to compare
    it with.
    """
    settings = start.settings()
    paths = files or tuple(path for path in [heads.path_of(settings)] if path.exists())
    with start.connection(settings) as conn:
        start.reading_user(conn, settings, Permission.READ_AUDIT)
        if can_write(conn):
            sequencer.chain_all(conn)
        result = verify(conn, _read(paths, conn.info.dbname))
    for line in (*_describe(result, paths), *_describe_broken(paths)):
        click.echo(line)
    if result.finding:
        sys.exit(FOUND)
    if result.head.sequence and not result.heads:
        sys.exit(NO_HEADS)


def _read(paths: tuple[Path, ...], database: str) -> Iterator[Head]:
    # A list: each file ends where it ends now, before the snapshot of the verification.
    return itertools.chain.from_iterable([heads.read(path, database) for path in paths])


def _describe(result: Verified, paths: tuple[Path, ...]) -> list[str]:
    if result.finding:
        place = _place(result.finding)
        message = MESSAGES[result.finding.kind].format(place=place)
        return [f"NOT INTACT: {message}", f"Intact: records 1 to {result.head.sequence}.", ADVICE]
    lines = [f"Intact: {result.head.sequence} records, and {result.pending} that are not chained yet."]
    if result.head.sequence:
        lines.append(f"Head: {result.head.sequence} {result.head.hash.hex()}")
    if result.heads:
        lines.append(f"Compared with {result.heads} heads from outside the database.")
    elif result.head.sequence:
        where = ", ".join(map(str, paths)) or "there is no file of heads"
        lines.append(
            f"Compared with no head from outside ({where}): a chain that was written again is not found."
        )
    return lines


def _describe_broken(paths: tuple[Path, ...]) -> Iterator[str]:
    for path in paths:
        if count := heads.count_broken(path):
            yield f"Lines of {path} that are no heads and were not compared: {count}."


def _place(finding: Finding) -> str:
    places = [
        f"record {finding.sequence} of the chain" if finding.sequence else "",
        f"id {finding.record_id}" if finding.record_id else "",
    ]
    text = (
        " with ".join(filter(None, places))
        if finding.sequence
        else f"a record outside the chain, {places[1]},"
    )
    return text if finding.kind == "rewritten" else text[0].upper() + text[1:]


@audit_command.command("export")
@click.argument("path", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), default="-")
def export_command(path: Path) -> None:
    """Write the whole trail as CSV to FILE, or to standard output. The export is recorded.

    FILE is created, for its owner only. One that exists is not overwritten.
    """
    settings = start.settings()
    with start.connection(settings) as conn:
        actor = start.acting_user(conn, settings, Permission.READ_AUDIT, is_bootstrap=True)
        with conn.transaction():
            record(conn, actor, "audit.export", "audit")
        sequencer.chain_all(conn)
        with _create(path) as file:
            count = export.write_csv(conn, file)
    click.echo(f"{count} records.", err=True)


def _create(path: Path) -> AbstractContextManager[IO[bytes]]:
    if path == Path("-"):
        return nullcontext(sys.stdout.buffer)
    try:
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except FileExistsError:
        raise Conflict(
            f"{path} exists already. Nothing was written. Name another file.", "file_exists"
        ) from None
