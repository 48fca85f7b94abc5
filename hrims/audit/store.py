"""SQL of the audit trail and its chain. Each function runs inside its caller's transaction."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from hrims.db import AsyncConnection, Connection, statements

SQL = statements(Path(__file__).with_name("chain.sql"))

FETCHED = 2000
"""Rows of the chain that verification and export hold in memory."""


class Link(NamedTuple):
    """A row of the chain, with the columns of its record as text; ``values`` is empty without a record."""

    sequence: int
    record_id: int
    digest: bytes
    hash: bytes
    values: tuple[str | None, ...]


class Head(NamedTuple):
    """The last place of the chain at some time."""

    sequence: int
    hash: bytes


def insert_record(conn: Connection, record: Mapping[str, Any]) -> None:
    """Write a record; ``record`` has a value for each parameter of the statement."""
    conn.execute(SQL["insert_record"], record)


def chain_records(conn: Connection, batch_size: int) -> int:
    """Chain committed records, at most ``batch_size``. Return how many; 0 if another session chains."""
    row = conn.execute(SQL["chain_records"], (batch_size,)).fetchone()
    return int(row[0]) if row else 0


async def chain_records_async(conn: AsyncConnection, batch_size: int) -> int:
    """Chain committed records like ``chain_records``."""
    row = await (await conn.execute(SQL["chain_records"], (batch_size,))).fetchone()
    return int(row[0]) if row else 0


def stream_links(conn: Connection) -> Iterator[Link]:
    """Return the whole chain in its order. Memory is bounded. The caller has begun a transaction."""
    with conn.cursor(name="audit_chain") as cursor:
        cursor.itersize = FETCHED
        cursor.execute(SQL["stream_links"])
        for sequence, record_id, digest, hash_, *values in cursor:
            yield Link(sequence, record_id, digest, hash_, () if values[0] is None else tuple(values))


def stream_pending(conn: Connection) -> Iterator[tuple[str | None, ...]]:
    """Return the columns of the records that are not chained, like ``stream_links``."""
    with conn.cursor(name="audit_pending") as cursor:
        cursor.itersize = FETCHED
        cursor.execute(SQL["stream_pending"])
        yield from cursor


CONDITIONS: Final = {
    "user": "l.actor = %(user)s",
    "action": "(l.action = %(action)s OR starts_with(l.action, %(action)s || '.'))",
    "object": "l.subject = %(object)s",
    "institution": "l.institution_id = %(institution)s",
    "run": "l.run_id = %(run)s",
    "request": "l.request_id = %(request)s",
    "since": "l.at >= %(since)s::timestamp AT TIME ZONE %(zone)s",
    "until": "l.at < (%(until)s::timestamp + interval '1 day') AT TIME ZONE %(zone)s",
}
"""The conditions of a filter. Only those that are set are in a statement, so that each can use its index."""


def list_records(
    conn: Connection, values: Mapping[str, Any], limit: int, offset: int
) -> list[tuple[Any, ...]]:
    """Return the columns of ``listing.Record`` of the records that match, newest first."""
    statement = SQL["list_records"].replace(b"-- conditions", _conditions(values))
    return conn.execute(statement, {**values, "limit": limit, "offset": offset}).fetchall()


def stream_matches(conn: Connection, values: Mapping[str, Any]) -> Iterator[tuple[str | None, ...]]:
    """Return sequence, columns as text, digest and hash of the records that match, oldest first."""
    statement = SQL["stream_matches"].replace(b"-- conditions", _conditions(values))
    with conn.cursor(name="audit_matches") as cursor:
        cursor.itersize = FETCHED
        cursor.execute(statement, values)
        yield from cursor


def _conditions(values: Mapping[str, Any]) -> bytes:
    wanted = [condition for name, condition in CONDITIONS.items() if values[name] is not None]
    return f"WHERE {' AND '.join(wanted)}".encode() if wanted else b""


def set_plain_output(conn: Connection) -> None:
    """Make this transaction write times in one form, whatever the settings of the session."""
    conn.execute("SELECT set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO, YMD', true)")


def find_head(conn: Connection) -> Head | None:
    """Return the last place of the chain; None if it is empty."""
    row = conn.execute(SQL["find_head"]).fetchone()
    return Head(*row) if row else None


async def find_head_async(conn: AsyncConnection) -> Head | None:
    """Return the last place of the chain; None if it is empty."""
    row = await (await conn.execute(SQL["find_head"])).fetchone()
    return Head(*row) if row else None


def find_hashes(conn: Connection, sequences: Sequence[int]) -> dict[int, bytes]:
    """Return the hashes of these places of the chain."""
    return dict(conn.execute(SQL["find_hashes"], (list(sequences),)).fetchall())


async def find_hash_async(conn: AsyncConnection, sequence: int) -> bytes | None:
    """Return the hash of a place of the chain; None if there is no such place."""
    row = await (await conn.execute(SQL["find_hashes"], ([sequence],))).fetchone()
    return row[1] if row else None


def find_successor(conn: Connection, hash_: bytes, other_than: int) -> int | None:
    """Return the place whose hash covers ``hash_``; None if there is none."""
    return _first(conn, "find_successor", {"hash": hash_, "other_than": other_than})


def find_predecessor(conn: Connection, digest: bytes, hash_: bytes) -> int | None:
    """Return the place whose hash ``hash_`` covers, together with ``digest``; None if there is none."""
    return _first(conn, "find_predecessor", {"digest": digest, "hash": hash_})


def find_digest(conn: Connection, digest: bytes, other_than: int) -> int | None:
    """Return another place with this digest; None if there is none."""
    return _first(conn, "find_digest", {"digest": digest, "other_than": other_than})


def find_unchained(conn: Connection) -> int | None:
    """Return the first record that is neither in the chain nor waits for it; None if there is none."""
    return _first(conn, "find_unchained", {})


def find_lost(conn: Connection) -> int | None:
    """Return the first record that waits for the chain and does not exist; None if there is none."""
    return _first(conn, "find_lost", {})


def count_pending(conn: Connection) -> int:
    """Return how many records wait for the chain."""
    return _first(conn, "count_pending", {}) or 0


def oldest_pending(conn: Connection) -> float:
    """Return for how many seconds the oldest record has waited for the chain; 0 if none waits."""
    row = conn.execute(SQL["oldest_pending"]).fetchone()
    assert row
    return float(row[0])


def _first(conn: Connection, name: str, params: dict[str, bytes | int]) -> int | None:
    row = conn.execute(SQL[name], params).fetchone()
    return None if row is None or row[0] is None else int(row[0])
