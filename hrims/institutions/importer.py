"""Imports a register. Input: a file or rows. Output: rows in the database, all of them or none."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import psycopg

from hrims.access.actor import Actor, system
from hrims.access.audit import record
from hrims.access.scope import EVERYTHING
from hrims.db import Connection
from hrims.errors import InvalidInput
from hrims.institutions import store
from hrims.institutions.csv_file import NOTHING, Problem, RegisterFile, Row, parse, refusal

Entry = tuple[str, str | None, str | None]
"""(name, vote code or None, TIN or None)"""

MESSAGES = {
    "nameless": "a name has letters or digits.",
    "same_name": "line {other_line} has the same name.",
    "same_vote_code": "line {other_line} has the same vote code.",
    "same_tin": "line {other_line} has the same TIN.",
    "taken_vote_code": "the vote code {value} is that of {other} on the register.",
    "taken_tin": "the TIN {value} is that of {other} on the register.",
    "zeros_of_line": "the vote code {value} differs from {other_value} on line {other_line} only in leading "
    "zeros, which spreadsheets remove. Write every vote code as text, with its zeros.",
    "zeros": "the vote code {value} differs from {other_value}, that of {other} on the register, only in "
    "leading zeros, which spreadsheets remove. Write it as text, with its zeros.",
}
"""Messages for conflicts of a file with the register or with itself, by the codes of find_conflicts.sql."""


class Imported(NamedTuple):
    """The number of rows of a file, and the changes that were written."""

    rows: int
    written: list[store.Change]


def read(path: Path) -> list[Entry]:
    """Return the rows of a register file. Raises InvalidInput, which names each wrong line."""
    file = parse(path.name, path.read_bytes())
    if file.problems:
        raise refusal(file.name, file.problems)
    return [row[1:] for row in file.rows]


def import_file(conn: Connection, actor: Actor, path: Path) -> Imported:
    """Import a register file like ``import_rows``. Raises InvalidInput, which lists all problems."""
    file = parse(path.name, path.read_bytes())
    return Imported(len(file.rows), _import(conn, actor, file))


def import_rows(conn: Connection, actor: Actor, rows: Sequence[Entry]) -> list[store.Change]:
    """Add new institutions and update known ones, all or none. Return the changes that were written.

    The audit record also has these changes. Raises InvalidInput, which counts the rows as lines.
    """
    return _import(conn, actor, RegisterFile("The list", [Row(n, *row) for n, row in enumerate(rows, 1)], []))


def _import(conn: Connection, actor: Actor, file: RegisterFile) -> list[store.Change]:
    try:
        with conn.transaction():
            store.lock_register(conn, actor.name)
            problems = [*file.problems, *map(_problem, store.find_conflicts(conn, file.rows))]
            if problems:
                raise refusal(file.name, problems)
            store.lock_waiting_workplaces(conn, [row.name for row in file.rows])
            written = store.upsert_institutions(conn, [row[1:] for row in file.rows])
            changes = [{"before": change.before, "after": change.after} for change in written]
            record(conn, actor, "institutions.import", rows=len(file.rows), written=changes)
    except psycopg.errors.UniqueViolation:
        # Only a manually run statement changes the register without the lock of store.lock_register.
        raise InvalidInput(f"The register changed meanwhile. {NOTHING} Import again.", "bad_file") from None
    return written


def _problem(found: store.Conflict) -> Problem:
    return Problem(found.line, MESSAGES[found.code].format(**found._asdict()))


def seed(conn: Connection, path: Path) -> int:
    """Fill an empty register from a file. Return the number of rows that were added."""
    if store.list_institutions(conn, EVERYTHING):
        return 0
    return len(import_file(conn, system("hrims up"), path).written)
