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
            return [_entry(line, f"{path.name}, line {lines.line_num}") for line in lines]
    except (UnicodeDecodeError, csv.Error) as reason:
        raise InvalidInput(f"{path.name} is not a CSV file in UTF-8. {NOTHING}", "bad_file") from reason


def _entry(line: dict[str, str | None], where: str) -> Entry:
    name, vote_code, tin = ((line[column] or "").strip() or None for column in COLUMNS)
    if None in line or not name or len(name) > 500 or not any(map(str.isalnum, name)):
        raise InvalidInput(f"{where}: a name and at most two more columns are wanted. {NOTHING}", "bad_file")
    if vote_code and not VOTE_CODE.fullmatch(vote_code):
        raise InvalidInput(f"{where}: a vote code is 1 to 10 digits. {NOTHING}", "bad_file")
    if tin and not TIN.fullmatch(tin):
        raise InvalidInput(f"{where}: a TIN is nine digits. {NOTHING}", "bad_file")
    return name, vote_code, tin


def import_rows(conn: Connection, actor: Actor, rows: list[Entry]) -> int:
    """Adds the institutions or brings them up to date, all or none; returns how many were written."""
    try:
        with conn.transaction():
            written = store.upsert_institutions(conn, rows)
            record(conn, actor, "institutions.import", rows=len(rows), written=written)
    except psycopg.errors.UniqueViolation as clash:
        word = "vote code" if "vote_code" in str(clash.diag.constraint_name) else "TIN"
        raise InvalidInput(f"Two institutions would have the same {word}. {NOTHING}", "bad_file") from None
    return written


def seed(conn: Connection, path: Path) -> int:
    """Fills an empty register from a file; returns how many rows were added."""
    if store.institutions(conn):
        return 0
    return import_rows(conn, Actor("hrims up", "system"), read(path))
