"""The register as a CSV file: a file comes in; checked rows, and then rows in the database, go out."""

import csv
import re
from pathlib import Path

import psycopg

from hrims.access.audit import Actor, record
from hrims.db import Connection
from hrims.errors import InvalidInput
from hrims.register import store

COLUMNS = ("name", "vote_code", "tin")
VOTE_CODE = re.compile(r"[0-9]{1,10}")
TIN = re.compile(r"[0-9]{9}")

NOTHING = "Nothing was imported."

Entry = tuple[str, str | None, str | None]
"""(name, vote code or None, TIN or None)"""


def read(path: Path) -> list[Entry]:
    """The rows of a register file. Raises InvalidInput, which names the line and what is wrong."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.DictReader(file, strict=True)
            if sorted(lines.fieldnames or []) != sorted(COLUMNS):
                raise InvalidInput(
                    f"{path.name} must have the columns {', '.join(COLUMNS)}. {NOTHING}", "bad_file"
                )
            return _read_lines(lines, path.name)
    except UnicodeDecodeError as reason:
        raise InvalidInput(f"{path.name} is not a CSV file in UTF-8. {NOTHING}", "bad_file") from reason


def _read_lines(lines: "csv.DictReader[str]", name: str) -> list[Entry]:
    met: dict[tuple[str, str], int] = {}
    entries = []
    try:
        for line in lines:
            where = f"{name}, line {lines.line_num}"
            entry = _entry(line, where)
            _refuse_repeats(entry, lines.line_num, where, met)
            entries.append(entry)
    except csv.Error as reason:
        raise InvalidInput(
            f"{name}, line {lines.line_num + 1}: this is not CSV ({reason}). {NOTHING}", "bad_file"
        ) from reason
    return entries


def _refuse_repeats(entry: Entry, number: int, where: str, met: dict[tuple[str, str], int]) -> None:
    # As name_key() in the database has it: case, spaces and punctuation do not count.
    keys = (re.sub(r"[\W_]+", " ", entry[0].lower()).strip(), entry[1], entry[2])
    for what, key in zip(("name", "vote code", "TIN"), keys, strict=True):
        if key and (first := met.setdefault((what, key), number)) != number:
            raise InvalidInput(f"{where}: line {first} has the same {what}. {NOTHING}", "bad_file")


def _entry(line: dict[str, str | None], where: str) -> Entry:
    name, vote_code, tin = ((line[column] or "").strip() or None for column in COLUMNS)
    if None in line or not name or len(name) > 500 or not any(map(str.isalnum, name)):
        raise InvalidInput(f"{where}: a name and at most two more columns are wanted. {NOTHING}", "bad_file")
    if vote_code and not VOTE_CODE.fullmatch(vote_code):
        raise InvalidInput(f"{where}: a vote code is 1 to 10 digits. {NOTHING}", "bad_file")
    if tin and not TIN.fullmatch(tin):
        raise InvalidInput(f"{where}: a TIN is nine digits. {NOTHING}", "bad_file")
    return name, vote_code, tin


def import_rows(conn: Connection, actor: Actor, rows: list[Entry]) -> list[store.Change]:
    """Adds the institutions or brings them up to date, all or none; returns what was written, which the
    audit record keeps too.
    """
    try:
        with conn.transaction():
            store.close(conn, actor.name)
            store.hold_waiting(conn, [row[0] for row in rows])
            written = store.upsert_institutions(conn, rows)
            changes = [{"before": one.before, "after": one.after} for one in written]
            record(conn, actor, "institutions.import", rows=len(rows), written=changes)
    except psycopg.errors.UniqueViolation as clash:
        raise InvalidInput(f"{_clash(clash, rows)} {NOTHING}", "bad_file") from None
    return written


def _clash(clash: psycopg.errors.UniqueViolation, rows: list[Entry]) -> str:
    """Which row cannot have what another institution on the register has."""
    word, column = ("vote code", 1) if "vote_code" in str(clash.diag.constraint_name) else ("TIN", 2)
    found = re.search(r"=\((.*)\)", clash.diag.message_detail or "")
    name = next((row[0] for row in rows if found and row[column] == found[1]), "One of them")
    return f"{name} cannot have the {word} {found[1] if found else ''}: another institution has it."


def seed(conn: Connection, path: Path) -> int:
    """Fills an empty register from a file; returns how many rows were added."""
    if store.institutions(conn):
        return 0
    return len(import_rows(conn, Actor("hrims up", "system"), read(path)))
