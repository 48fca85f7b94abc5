"""Places at the remote and the breaker, in SQL. Each function works inside its caller's transaction."""

from typing import NamedTuple

from hrims.db import AsyncConnection

PATIENCE = 2.0
"""Seconds without a look after which somebody waits no more: he was killed, or is frozen."""


async def take_slot(
    conn: AsyncConnection, holder: str, most: int, lease: float, grace: float, mine: list[int]
) -> int | None:
    """A free place of ``most`` but for ``mine``, held for ``lease`` seconds; None when there is none, or as
    many others have waited for longer.

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
            ), free AS MATERIALIZED (
                SELECT n FROM generate_series(1, %(most)s) AS n
                WHERE n <> ALL (%(mine)s::int[])
                  AND NOT EXISTS (
                      SELECT FROM remote_slots s WHERE s.number = n
                      AND (s.until > now() OR s.wanted_at IS NULL
                           OR s.wanted_at > now() - make_interval(secs => %(grace)s)))
            ), ahead AS (
                SELECT count(*) AS n FROM remote_waiters w
                WHERE w.holder <> %(holder)s AND w.seen_at > now() - make_interval(secs => %(patience)s)
                  AND w.since < coalesce(
                      (SELECT since FROM remote_waiters WHERE holder = %(holder)s), now())
            )
            INSERT INTO remote_slots AS taken (number, holder, until)
            SELECT n, %(holder)s, now() + make_interval(secs => %(lease)s)
            FROM free
            WHERE (SELECT count(*) FROM free) > (SELECT n FROM ahead)
            ORDER BY random() LIMIT 1
            ON CONFLICT (number) DO UPDATE
                SET holder = excluded.holder, until = excluded.until, wanted_at = NULL
                WHERE taken.until <= now() AND taken.wanted_at <= now() - make_interval(secs => %(grace)s)
            RETURNING number
            """,
            {
                "holder": holder,
                "most": most,
                "lease": lease,
                "grace": grace,
                "mine": mine,
                "patience": PATIENCE,
            },
        )
    ).fetchone()
    return row[0] if row else None


async def wait(conn: AsyncConnection, holder: str) -> None:
    """Notes that somebody waits for a place, and since when."""
    await conn.execute(
        "INSERT INTO remote_waiters (holder) VALUES (%s) ON CONFLICT (holder) DO UPDATE SET seen_at = now()",
        (holder,),
    )


async def stop_waiting(conn: AsyncConnection, holder: str) -> None:
    """Notes that somebody waits no longer, and forgets who has not looked for a while."""
    # Those who are forgotten are nobody's: two who forget the same ones must not wait for one another.
    await conn.execute(
        """
        DELETE FROM remote_waiters WHERE holder IN (
            SELECT holder FROM remote_waiters WHERE holder = %s OR seen_at < now() - interval '1 minute'
            FOR UPDATE SKIP LOCKED)
        """,
        (holder,),
    )


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


class Way(NamedTuple):
    """From which host, and at which address, HRIMS is asked."""

    host: str
    address: str


async def reason(conn: AsyncConnection, way: Way) -> str | None:
    """Why HRIMS is not asked this way; None while it is."""
    row = await (
        await conn.execute("SELECT reason FROM remote_breakers WHERE host = %s AND address = %s", way)
    ).fetchone()
    return row[0] if row else None


async def take_probe(conn: AsyncConnection, way: Way, lease: float) -> bool:
    """Whether the caller is the one that probes now; nobody else is for ``lease`` seconds."""
    taken = await conn.execute(
        """
        UPDATE remote_breakers SET probes = probes + 1, probe_at = now() + make_interval(secs => %s)
        WHERE host = %s AND address = %s AND probe_at <= now()
        """,
        (lease, *way),
    )
    return bool(taken.rowcount)


async def probes(conn: AsyncConnection, way: Way) -> int:
    """How often it was probed since HRIMS is not asked this way."""
    row = await (
        await conn.execute("SELECT probes FROM remote_breakers WHERE host = %s AND address = %s", way)
    ).fetchone()
    return row[0] if row else 0


async def open_breaker(conn: AsyncConnection, way: Way, reason: str, code: str, seconds: float) -> None:
    """HRIMS is not asked this way until a probe is answered; the next is due in so many seconds."""
    await conn.execute(
        """
        INSERT INTO remote_breakers (host, address, reason, code, probe_at)
        VALUES (%(host)s, %(address)s, %(reason)s, %(code)s, now() + make_interval(secs => %(seconds)s))
        ON CONFLICT (host, address) DO UPDATE
            SET reason = excluded.reason, code = excluded.code, probe_at = excluded.probe_at
        """,
        {**way._asdict(), "reason": reason, "code": code, "seconds": seconds},
    )


async def close_breaker(conn: AsyncConnection, way: Way) -> None:
    """HRIMS answers at this address: it is asked there again, from every host."""
    await conn.execute("DELETE FROM remote_breakers WHERE address = %s", (way.address,))
