"""A trail for tests: records with every column set, chained."""

from random import Random
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from hrims.audit import sequencer
from hrims.audit.store import Head

INSERT = """
SELECT audit_insert(
    actor => %(actor)s, via => %(via)s, action => %(action)s, subject => %(subject)s, details => %(details)s,
    user_id => %(user_id)s, role => %(role)s, token_id => %(token_id)s, address => %(address)s,
    user_agent => %(user_agent)s, request_id => %(request_id)s, run_id => %(run_id)s,
    institution_id => %(institution_id)s, before => %(before)s, after => %(after)s, reason => %(reason)s)
"""

TEXTS = ("asha", "Ng’ambo", "a:b\nc", "=1+1", " =2+2", "'quoted", "ﷺ😀", "x" * 190)


def write(conn: psycopg.Connection, rng: Random, count: int) -> None:
    """Write records, about a third of their columns empty."""
    for _ in range(count):
        conn.execute(INSERT, values(rng))


def values(rng: Random) -> dict[str, Any]:
    def perhaps(value: Any) -> Any:
        return value if rng.random() < 0.7 else None

    return {
        "actor": rng.choice(TEXTS),
        "via": rng.choice(("page", "api", "worker")),
        "action": rng.choice(("run.ask", "run.cancel", "user.add")),
        "subject": perhaps(f"run:{rng.randrange(100)}"),
        "details": Jsonb({"note": rng.choice(TEXTS), "n": rng.random(), "list": [None, True, {}]}),
        "user_id": perhaps(rng.randrange(1000)),
        "role": perhaps("officer"),
        "token_id": perhaps(rng.randrange(1000)),
        "address": perhaps(rng.choice(("192.0.2.7", "2001:db8::1", "198.51.100.0/24"))),
        "user_agent": perhaps(rng.choice(TEXTS)),
        "request_id": perhaps(f"{rng.getrandbits(64):x}"),
        "run_id": perhaps(rng.randrange(1000)),
        "institution_id": perhaps(rng.randrange(1000)),
        "before": perhaps(Jsonb(rng.randrange(100))),
        "after": perhaps(Jsonb({"b": 1, "a": rng.choice(TEXTS)})),
        "reason": perhaps(rng.choice(TEXTS)),
    }


def chained(conn: psycopg.Connection, rng: Random, count: int) -> list[Head]:
    """Write and chain records. Return the heads that the chain had meanwhile."""
    heads = []
    for size in (count // 3, count // 3, count - 2 * (count // 3)):
        write(conn, rng, size)
        sequencer.chain_all(conn)
        heads.append(head(conn))
    return heads


def head(conn: psycopg.Connection) -> Head:
    """Return the last place of the chain."""
    row = conn.execute("SELECT sequence, hash FROM audit_chain ORDER BY sequence DESC LIMIT 1").fetchone()
    assert row is not None
    return Head(*row)
