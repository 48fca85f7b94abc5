"""Places at the remote and the breaker, in SQL. Each function works inside its caller's transaction."""

from datetime import datetime
from typing import NamedTuple

from hrims.db import AsyncConnection


async def take_slot(
    conn: AsyncConnection, holder: str, most: int, lease: float, grace: float, mine: list[int]
) -> int | None:
    """A free place of ``most`` but for ``mine``, held for ``lease`` seconds; None when there is none.

    One whose lease is over is free ``grace`` seconds after somebody wanted it: until then its holder may
    renew it.
    """
    row = await (
        await conn.execute(
            """
            WITH wanted AS (
                UPDATE remote_slots SET wanted_at = now() WHERE number IN (
                    SELECT number FROM remote_slots WHERE until <= now() AND wanted_at IS NULL
                    FOR UPDATE SKIP LOCKED)
            )
            INSERT INTO remote_slots AS taken (number, holder, until)
            SELECT n, %(holder)s, now() + make_interval(secs => %(lease)s)
            FROM generate_series(1, %(most)s) AS n
            WHERE n <> ALL (%(mine)s::int[])
              AND NOT EXISTS (
                  SELECT FROM remote_slots s WHERE s.number = n
                  AND (s.until > now() OR s.wanted_at IS NULL
                       OR s.wanted_at > now() - make_interval(secs => %(grace)s)))
            ORDER BY random() LIMIT 1
            ON CONFLICT (number) DO UPDATE
                SET holder = excluded.holder, until = excluded.until, wanted_at = NULL
                WHERE taken.until <= now() AND taken.wanted_at <= now() - make_interval(secs => %(grace)s)
            RETURNING number
            """,
            {"holder": holder, "most": most, "lease": lease, "grace": grace, "mine": mine},
        )
    ).fetchone()
    return row[0] if row else None


async def keep_slots(conn: AsyncConnection, holder: str, numbers: list[int], lease: float) -> None:
    """Holds places for ``lease`` seconds more. Those that nobody else took meanwhile are taken anew: their
    lease ran out, because the database was away, while the remote was still being asked.
    """
    await conn.execute(
        """
        INSERT INTO remote_slots AS taken (number, holder, until)
        SELECT n, %(holder)s, now() + make_interval(secs => %(lease)s)
        FROM unnest(%(numbers)s::int[]) AS n ORDER BY n
        ON CONFLICT (number) DO UPDATE
            SET holder = excluded.holder, until = excluded.until, wanted_at = NULL
            WHERE taken.holder = excluded.holder OR taken.until <= now()
        """,
        {"holder": holder, "lease": lease, "numbers": numbers},
    )


async def give_slots(conn: AsyncConnection, holder: str, numbers: list[int]) -> None:
    """Gives places back."""
    await conn.execute(
        "DELETE FROM remote_slots WHERE holder = %s AND number = ANY(%s)",
        (holder, numbers),
    )


class Breaker(NamedTuple):
    """An open breaker: why HRIMS is not asked there, how often it was probed, when it is probed next."""

    reason: str
    code: str
    probes: int
    probe_at: datetime


async def breaker(conn: AsyncConnection, address: str) -> Breaker | None:
    """The breaker of an address while it is open, None while HRIMS is asked there."""
    row = await (
        await conn.execute(
            "SELECT reason, code, probes, probe_at FROM remote_breakers WHERE address = %s", (address,)
        )
    ).fetchone()
    return Breaker(*row) if row else None


async def take_probe(conn: AsyncConnection, address: str, lease: float) -> bool:
    """Whether the caller is the one that probes now; nobody else is for ``lease`` seconds."""
    taken = await conn.execute(
        """
        UPDATE remote_breakers SET probes = probes + 1, probe_at = now() + make_interval(secs => %s)
        WHERE address = %s AND probe_at <= now()
        """,
        (lease, address),
    )
    return bool(taken.rowcount)


async def open_breaker(
    conn: AsyncConnection, address: str, reason: str, code: str, seconds: float
) -> datetime:
    """Opens the breaker of an address or keeps it open; the next probe is due in so many seconds."""
    row = await (
        await conn.execute(
            """
            INSERT INTO remote_breakers (address, reason, code, probe_at)
            VALUES (%(address)s, %(reason)s, %(code)s, now() + make_interval(secs => %(seconds)s))
            ON CONFLICT (address) DO UPDATE
                SET reason = excluded.reason, code = excluded.code, probe_at = excluded.probe_at
            RETURNING probe_at
            """,
            {"address": address, "reason": reason, "code": code, "seconds": seconds},
        )
    ).fetchone()
    assert row is not None
    at: datetime = row[0]
    return at


async def close_breaker(conn: AsyncConnection, address: str) -> bool:
    """HRIMS is asked there again: runs that waited for it are due now, by whatever address they had asked
    it. False when it was closed.
    """
    closed = await conn.execute("DELETE FROM remote_breakers WHERE address = %s", (address,))
    if closed.rowcount:
        # Two statements: the second sees the jobs that went back while the first waited for their runs.
        await conn.execute(
            "UPDATE runs SET next_try_at = now() WHERE state = 'delayed' AND waits_for = 'remote'"
        )
        await conn.execute(
            """
            UPDATE procrastinate_jobs j SET scheduled_at = now()
            FROM runs r
            WHERE j.id = r.queue_job_id AND j.status = 'todo'
              AND r.state = 'delayed' AND r.waits_for = 'remote'
            """
        )
    return bool(closed.rowcount)
