"""Verification of the audit trail. Input: the chain, and heads from outside. Output: the first finding.

It computes every hash in this process and trusts no function of the database.
"""

import itertools
from collections.abc import Iterable
from typing import Final, NamedTuple

from hrims import db
from hrims.audit import store
from hrims.audit.chain import FIRST_HASH, digest_of, link
from hrims.audit.diagnosis import Finding, diagnose
from hrims.audit.store import Head, Link
from hrims.db import Connection

HEADS_AT_ONCE: Final = 1000
"""Heads from outside that one statement compares."""


class Verified(NamedTuple):
    """The result. Up to ``head``, or to ``finding``, the trail is as it was written."""

    head: Head
    pending: int
    """Records that are not chained yet, so that nothing protects them."""
    heads: int
    """Heads from outside that the chain has."""
    finding: Finding | None


def verify(conn: Connection, heads: Iterable[Head]) -> Verified:
    """Verify the whole trail in one snapshot. Memory is bounded for any number of records and heads."""
    with conn.transaction():
        db.use_snapshot(conn)
        return verify_snapshot(conn, heads)


def verify_snapshot(conn: Connection, heads: Iterable[Head]) -> Verified:
    """Verify the trail like ``verify``, inside the caller's transaction."""
    store.set_plain_output(conn)
    head, finding = _walk(conn)
    pending = store.count_pending(conn)
    if finding:
        return Verified(head, pending, 0, finding)
    compared, finding = _compare(conn, head, heads)
    return Verified(head, pending, compared, finding or _find_stray(conn))


def _walk(conn: Connection) -> tuple[Head, Finding | None]:
    """Follow the chain. Return its last intact place, and what happened after it."""
    intact = Head(0, FIRST_HASH)
    for found in store.stream_links(conn):
        if not _follows(intact, found):
            return intact, diagnose(conn, intact, found)
        intact = Head(found.sequence, found.hash)
    return intact, None


def _follows(intact: Head, found: Link) -> bool:
    return (
        found.sequence == intact.sequence + 1
        and bool(found.values)
        and digest_of(found.values) == found.digest
        and link(intact.hash, found.digest) == found.hash
    )


def _compare(conn: Connection, last: Head, heads: Iterable[Head]) -> tuple[int, Finding | None]:
    """Compare heads from outside with the chain. Return how many are equal, and the first that is not."""
    compared, last_equal = 0, 0
    remaining = iter(heads)
    while batch := list(itertools.islice(remaining, HEADS_AT_ONCE)):
        hashes = store.find_hashes(conn, [head.sequence for head in batch])
        for head in batch:
            if hashes.get(head.sequence) != head.hash:
                is_short = head.sequence > last.sequence
                place = last.sequence + 1 if is_short else last_equal + 1
                return compared, Finding("removed" if is_short else "rewritten", place)
            compared, last_equal = compared + 1, max(last_equal, head.sequence)
    return compared, None


def _find_stray(conn: Connection) -> Finding | None:
    """Return the first record outside the chain that does not wait for it, or waits and does not exist."""
    if (record_id := store.find_unchained(conn)) is not None:
        return Finding("inserted", None, record_id)
    if (record_id := store.find_lost(conn)) is not None:
        return Finding("removed", None, record_id)
    return None
