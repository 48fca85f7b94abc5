"""What happened at the first place where the chain breaks. Input: the place. Output: a finding.

The place is certain. The kind is what the other places of the chain make likely.
"""

from typing import Literal, NamedTuple

from hrims.audit import store
from hrims.audit.chain import FIRST_HASH, digest_of, link
from hrims.audit.store import Head, Link
from hrims.db import Connection

Kind = Literal["altered", "removed", "inserted", "reordered", "rewritten"]


class Finding(NamedTuple):
    """The first record that is not as it was written: its place, and its id if that is known."""

    kind: Kind
    sequence: int | None
    record_id: int | None = None


def diagnose(conn: Connection, previous: Head, found: Link) -> Finding:
    """Return what happened after the intact place ``previous``, where the place ``found`` follows."""
    expected = previous.sequence + 1
    if found.sequence != expected:
        return _diagnose_gap(conn, previous, found)
    if link(previous.hash, found.digest) == found.hash:
        return _diagnose_content(conn, found)
    if found.values and link(previous.hash, digest_of(found.values)) == found.hash:
        return Finding("altered", expected, found.record_id)
    return _diagnose_link(conn, previous, found)


def _diagnose_gap(conn: Connection, previous: Head, found: Link) -> Finding:
    if found.sequence <= previous.sequence:
        return Finding("inserted", found.sequence, found.record_id)
    moved = store.find_successor(conn, previous.hash, previous.sequence)
    return Finding("removed" if moved is None else "reordered", previous.sequence + 1)


def _diagnose_content(conn: Connection, found: Link) -> Finding:
    """Return what happened to a record whose place in the chain is intact."""
    if not found.values:
        return Finding("removed", found.sequence, found.record_id)
    moved = store.find_digest(conn, digest_of(found.values), found.sequence)
    return Finding("altered" if moved is None else "reordered", found.sequence, found.record_id)


def _diagnose_link(conn: Connection, previous: Head, found: Link) -> Finding:
    """Return what happened where a place does not follow the one before it."""
    place, record_id = found.sequence, found.record_id
    is_first = link(FIRST_HASH, found.digest) == found.hash
    before = 0 if is_first else store.find_predecessor(conn, found.digest, found.hash)
    if before is not None and before < previous.sequence:
        return Finding("inserted", before + 1)
    if before is not None:
        return Finding("reordered", place, record_id)
    if store.find_successor(conn, previous.hash, place) is not None:
        return Finding("inserted", place, record_id)
    is_followed = store.find_successor(conn, link(previous.hash, found.digest), place) is not None
    is_as_written = bool(found.values) and digest_of(found.values) == found.digest
    if is_as_written and not is_followed:
        # This record is intact, and the one that it followed is gone.
        return Finding("removed", place)
    return Finding("altered", place, record_id)
