"""Exports the audit trail. Input: the chain, then the records that wait for it. Output: CSV in a file.

Memory is bounded for any number of records. The digests and hashes can be computed again from the file alone.
"""

import contextlib
import csv
from collections.abc import Iterator
from io import TextIOWrapper
from typing import IO, Any, Final

from hrims import db
from hrims.audit import store
from hrims.audit.chain import FIELDS
from hrims.audit.listing import AuditFilter, iterate_values
from hrims.db import Connection
from hrims.spreadsheets import neutralize

HEADINGS: Final = ("sequence", *FIELDS, "digest", "hash")


def write_csv(conn: Connection, into: IO[bytes]) -> int:
    """Write the whole trail of one snapshot. Return the number of records."""
    count = 0
    with _open_csv(into) as writer, conn.transaction():
        db.use_snapshot(conn)
        store.set_plain_output(conn)
        for found in store.stream_links(conn):
            writer.writerow(
                [found.sequence, *map(_quoted, found.values), found.digest.hex(), found.hash.hex()]
            )
            count += 1
        for values in store.stream_pending(conn):
            writer.writerow(["", *map(_quoted, values), "", ""])
            count += 1
    return count


def write_matches(conn: Connection, filter_: AuditFilter, into: IO[bytes]) -> None:
    """Write the records that match a filter, oldest first, inside the caller's transaction."""
    store.set_plain_output(conn)
    with _open_csv(into) as writer:
        writer.writerows([*map(neutralize, values)] for values in iterate_values(conn, filter_))


@contextlib.contextmanager
def _open_csv(into: IO[bytes]) -> Iterator[Any]:
    # The csv module has no public type for its writer.
    text = TextIOWrapper(into, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow(HEADINGS)
    yield writer
    # Do not close the file: the caller owns it.
    text.detach()


def _quoted(value: str | None) -> str | None:
    """Return a cell with an apostrophe in front if a spreadsheet could execute it.

    A cell that begins with an apostrophe gets another, so a reader removes the first one of every cell.
    """
    return f"'{value}" if value and (value.startswith("'") or neutralize(value) != value) else value
