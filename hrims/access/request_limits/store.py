"""SQL of the rate limiter for requests. Each function runs inside its caller's transaction."""

from typing import NamedTuple

from hrims.db import AsyncConnection, Connection


class Counted(NamedTuple):
    """The requests of a client in the current minute, and the seconds until the next one."""

    client: str
    requests: int
    seconds_left: int


def count_request(conn: Connection, clients: list[str]) -> list[Counted]:
    """Count a request of each client, and return the counts."""
    return [Counted(*row) for row in conn.execute("SELECT * FROM count_request(%s)", (clients,))]


async def delete_old(conn: AsyncConnection, limit: int) -> int:
    """Delete counts of earlier minutes. Return how many."""
    deleted = await conn.execute(
        "DELETE FROM request_counts WHERE client = ANY(ARRAY(SELECT client FROM request_counts"
        " WHERE minute < now() - interval '2 minutes' LIMIT %s FOR UPDATE SKIP LOCKED))",
        (limit,),
    )
    return deleted.rowcount
