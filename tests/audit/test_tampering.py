"""An owner who alters the trail with triggers disabled is found, at the right record."""

from collections import Counter
from random import Random

import psycopg
import pytest

from hrims.audit.store import Head
from hrims.audit.verification import Verified, verify, verify_snapshot
from tests.audit import tampering, trail
from tests.audit.tampering import INSIDE, WITH_HEADS, Tampering

RECORDS = 30


@pytest.fixture
def conn(owner: psycopg.Connection) -> psycopg.Connection:
    """Return a connection of the owner, who alone can tamper."""
    return owner


TAMPERINGS = 1000


def tamper(
    conn: psycopg.Connection, change: Tampering, rng: Random, heads: list[Head]
) -> tuple[int, Verified]:
    """Change the trail as its owner, verify it, and put it back. Return the changed place and the result."""
    with conn.transaction(force_rollback=True):
        conn.execute("SET LOCAL session_replication_role = replica")
        place = change(conn, rng, RECORDS)
        return place, verify_snapshot(conn, heads)


def test_each_of_1000_random_tamperings_is_found_at_its_place(conn: psycopg.Connection) -> None:
    heads = trail.chained(conn, Random(1), RECORDS)
    done = Counter[str]()
    for seed in range(TAMPERINGS):
        rng = Random(seed)
        change = rng.choice((*INSIDE, *WITH_HEADS))
        place, result = tamper(conn, change, rng, heads)
        assert result.finding is not None, (seed, change)
        if change is not tampering.rewrite:
            assert result.finding.sequence == (place if place > 0 else None), (seed, change, result)
        done[change.__name__] += 1
    assert min(done.values()) > TAMPERINGS / len(done) / 2
    assert verify(conn, heads).finding is None


@pytest.mark.parametrize("change", WITH_HEADS)
def test_a_rewritten_or_shorter_chain_is_found_by_heads_alone(
    conn: psycopg.Connection, change: Tampering
) -> None:
    heads = trail.chained(conn, Random(2), RECORDS)
    for seed in range(20):
        assert tamper(conn, change, Random(seed), [])[1].finding is None
        assert tamper(conn, change, Random(seed), heads)[1].finding is not None


KINDS: dict[Tampering, tuple[str, ...]] = {
    # A record with another id is gone, and there is one that was never chained.
    tampering.alter_column: ("altered", "removed"),
    tampering.delete_record: ("removed",),
    tampering.delete_place: ("removed",),
    tampering.delete_both_and_close_the_gap: ("removed",),
    tampering.insert_with_a_place: ("inserted",),
    tampering.insert_outside_the_chain: ("inserted",),
    tampering.swap_places: ("reordered",),
    tampering.swap_record_ids: ("reordered",),
    tampering.truncate_tail: ("removed",),
}


@pytest.mark.parametrize("change", KINDS)
def test_the_finding_says_what_happened(conn: psycopg.Connection, change: Tampering) -> None:
    heads = trail.chained(conn, Random(3), RECORDS)
    for seed in range(40):
        _, result = tamper(conn, change, Random(seed), heads)
        assert result.finding is not None
        assert result.finding.kind in KINDS[change], (seed, result)


def test_a_rewritten_chain_is_named_after_the_last_head_that_is_still_true(conn: psycopg.Connection) -> None:
    heads = trail.chained(conn, Random(4), RECORDS)

    def rewrite_the_25th(conn: psycopg.Connection, rng: Random, count: int) -> int:
        conn.execute("UPDATE audit_log SET actor = 'other' WHERE id = 25")
        conn.execute("DELETE FROM audit_chain")
        conn.execute("INSERT INTO audit_pending SELECT id FROM audit_log")
        conn.execute("SELECT chain_audit_records(1000)")
        return 25

    _, result = tamper(conn, rewrite_the_25th, Random(), heads)
    assert result.finding == ("rewritten", heads[1].sequence + 1, None)
    assert result.heads == 2


def test_a_record_that_waits_and_is_deleted_is_found(conn: psycopg.Connection) -> None:
    trail.write(conn, Random(5), 2)
    conn.execute("SET session_replication_role = replica")
    conn.execute("DELETE FROM audit_log WHERE id = 2")
    result = verify(conn, [])
    assert result.finding == ("removed", None, 2)
    assert result.pending == 2
