"""SQL of the slots and the circuit breakers. Each function runs inside its caller's transaction."""

from typing import NamedTuple

from hrims.db import AsyncConnection

WAITER_TIMEOUT = 2.0
"""Seconds after its last attempt after which a waiter no longer counts: it was killed or is frozen."""


async def acquire_slot(
    conn: AsyncConnection, holder: str, limit: int, lease: float, grace: float, held: list[int]
) -> int | None:
    """Acquire a free slot from 1 to ``limit``, except ``held``, for ``lease`` seconds. Return its number.

    Return None if no slot is free, or if as many others have waited longer as slots are free.

    A slot whose lease has expired is free ``grace`` seconds after another holder first wanted it. Until then
    its holder may renew it.
    """
    row = await (
        await conn.execute(
            """
            WITH wanted AS (
                UPDATE remote_slots SET wanted_at = now() WHERE number IN (
                    SELECT number FROM remote_slots WHERE until <= now() AND wanted_at IS NULL
                    FOR UPDATE SKIP LOCKED)
            ), free AS MATERIALIZED (
                SELECT n FROM generate_series(1, %(limit)s) AS n
                WHERE n <> ALL (%(held)s::int[])
                  AND NOT EXISTS (
                      SELECT FROM remote_slots s WHERE s.number = n
                      AND (s.until > now() OR s.wanted_at IS NULL
                           OR s.wanted_at > now() - make_interval(secs => %(grace)s)))
            ), ahead AS (
                SELECT count(*) AS n FROM remote_waiters w
                WHERE w.holder <> %(holder)s AND w.seen_at > now() - make_interval(secs => %(timeout)s)
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
                "limit": limit,
                "lease": lease,
                "grace": grace,
                "held": held,
                "timeout": WAITER_TIMEOUT,
            },
        )
    ).fetchone()
    return row[0] if row else None


async def register_waiter(conn: AsyncConnection, holder: str) -> None:
    """Record that ``holder`` waits for a slot, and since when."""
    await conn.execute(
        "INSERT INTO remote_waiters (holder) VALUES (%s) ON CONFLICT (holder) DO UPDATE SET seen_at = now()",
        (holder,),
    )


async def delete_waiter(conn: AsyncConnection, holder: str) -> None:
    """Record that ``holder`` waits no longer. Also delete waiters that were last seen more than a
    minute ago.
    """
    # Any waiter may delete those, so two must not wait for each other's row locks.
    await conn.execute(
        """
        DELETE FROM remote_waiters WHERE holder IN (
            SELECT holder FROM remote_waiters WHERE holder = %s OR seen_at < now() - interval '1 minute'
            FOR UPDATE SKIP LOCKED)
        """,
        (holder,),
    )


async def renew_slots(conn: AsyncConnection, holder: str, numbers: list[int], lease: float) -> None:
    """Renew the leases of slots for ``lease`` seconds.

    Reacquire slots whose lease expired and that no other holder took. Leases expire during an outage of the
    database, while requests to HRIMS are still in flight.
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


async def release_slots(conn: AsyncConnection, holder: str, numbers: list[int]) -> None:
    """Release slots."""
    await conn.execute(
        "DELETE FROM remote_slots WHERE holder = %s AND number = ANY(%s)",
        (holder, numbers),
    )


class RemoteRoute(NamedTuple):
    """A host and the address at which it reaches HRIMS. Each route has its own circuit breaker."""

    host: str
    address: str


async def find_open_reason(conn: AsyncConnection, route: RemoteRoute) -> str | None:
    """Return why the breaker of the route is open; None while it is closed."""
    row = await (
        await conn.execute("SELECT reason FROM remote_breakers WHERE host = %s AND address = %s", route)
    ).fetchone()
    return row[0] if row else None


async def acquire_probe(conn: AsyncConnection, route: RemoteRoute, lease: float) -> bool:
    """Return whether a probe is due and the caller may send it. No other caller may for ``lease`` seconds."""
    acquired = await conn.execute(
        """
        UPDATE remote_breakers SET probes = probes + 1, probe_at = now() + make_interval(secs => %s)
        WHERE host = %s AND address = %s AND probe_at <= now()
        """,
        (lease, *route),
    )
    return bool(acquired.rowcount)


async def count_probes(conn: AsyncConnection, route: RemoteRoute) -> int:
    """Return the number of probes since the breaker of the route opened."""
    row = await (
        await conn.execute("SELECT probes FROM remote_breakers WHERE host = %s AND address = %s", route)
    ).fetchone()
    return row[0] if row else 0


async def open_breaker(
    conn: AsyncConnection, route: RemoteRoute, reason: str, code: str, seconds: float
) -> None:
    """Open the breaker of the route until HRIMS answers a probe. The next is due in ``seconds`` seconds."""
    await conn.execute(
        """
        INSERT INTO remote_breakers (host, address, reason, code, probe_at)
        VALUES (%(host)s, %(address)s, %(reason)s, %(code)s, now() + make_interval(secs => %(seconds)s))
        ON CONFLICT (host, address) DO UPDATE
            SET reason = excluded.reason, code = excluded.code, probe_at = excluded.probe_at
        """,
        {**route._asdict(), "reason": reason, "code": code, "seconds": seconds},
    )


async def close_breaker(conn: AsyncConnection, route: RemoteRoute) -> None:
    """Close the breakers of all routes to the address: a response to one host is enough for all hosts."""
    await conn.execute("DELETE FROM remote_breakers WHERE address = %s", (route.address,))
