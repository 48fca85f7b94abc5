"""SQL of failed sign-ins. Each function runs inside its caller's transaction."""

from datetime import timedelta
from typing import NamedTuple

from hrims.access.store import MAX_DELETED
from hrims.db import Connection

NAME, ADDRESS = 0x4E414D45, 0x41444452  # "NAME", "ADDR": namespaces of a sign-in's two advisory locks


def lock_sign_ins(conn: Connection, name_hash: bytes, address: str | None) -> None:
    """Block other sign-ins with this name or from this address until the transaction ends.

    Lock the name first in every transaction, so that two sign-ins cannot deadlock.
    """
    conn.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (NAME, name_hash.hex()))
    if address:
        conn.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (ADDRESS, address))


class Failures(NamedTuple):
    """How many sign-ins failed within the window, and how many seconds ago the last one."""

    number: int
    since_last: float


def count_by_device(conn: Connection, device_id: int, window: timedelta) -> Failures:
    """Count the failures in a known device."""
    return _count(conn, "device_id = %(device)s", window, device=device_id)


def count_by_name(conn: Connection, name_hash: bytes, window: timedelta) -> Failures:
    """Count the failures with a name, at all addresses."""
    return _count(conn, "name_hash = %(name)s AND device_id IS NULL", window, name=name_hash)


def count_by_address(conn: Connection, address: str, window: timedelta) -> Failures:
    """Count the failures at an address, with all names."""
    return _count(conn, "address = %(address)s::inet AND device_id IS NULL", window, address=address)


def count_by_pair(conn: Connection, name_hash: bytes, address: str | None, window: timedelta) -> Failures:
    """Count the failures with a name at an address."""
    condition = (
        "name_hash = %(name)s AND address IS NOT DISTINCT FROM %(address)s::inet AND device_id IS NULL"
    )
    return _count(conn, condition, window, name=name_hash, address=address)


def _count(conn: Connection, condition: str, window: timedelta, **params: object) -> Failures:
    row = conn.execute(
        "SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - max(at)), 0)::float8"  # noqa: S608 - a constant
        f" FROM failed_sign_ins WHERE {condition} AND at > clock_timestamp() - %(window)s::interval".encode(),
        {**params, "window": window},
    ).fetchone()
    assert row is not None
    return Failures(*row)


def count_all(conn: Connection, name_hash: bytes, window: timedelta) -> int:
    """Count the failures with a name, those in known devices too."""
    return _count(conn, "name_hash = %(name)s", window, name=name_hash).number


def insert_failure(conn: Connection, name_hash: bytes, address: str | None, device_id: int | None) -> int:
    """Record a failed sign-in. Return its id."""
    row = conn.execute(
        "INSERT INTO failed_sign_ins (name_hash, address, device_id) VALUES (%s, %s, %s) RETURNING id",
        (name_hash, address, device_id),
    ).fetchone()
    assert row is not None
    return int(row[0])


def delete_failure(conn: Connection, id_: int) -> None:
    """Delete one recorded failure."""
    conn.execute("DELETE FROM failed_sign_ins WHERE id = %s", (id_,))


def delete_failures_of(conn: Connection, name_hash: bytes) -> int:
    """Delete every recorded failure with a name. Return how many."""
    return conn.execute("DELETE FROM failed_sign_ins WHERE name_hash = %s", (name_hash,)).rowcount


def delete_old_failures(conn: Connection, window: timedelta) -> None:
    """Delete failures from before the window, which no longer count."""
    conn.execute(
        "DELETE FROM failed_sign_ins WHERE id IN (SELECT id FROM failed_sign_ins"
        " WHERE at <= now() - %s::interval LIMIT %s FOR UPDATE SKIP LOCKED)",
        (window, MAX_DELETED),
    )
