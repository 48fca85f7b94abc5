"""SQL of the saved connection, for every process that asks HRIMS."""

from typing import Any

from psycopg.rows import dict_row

from hrims.db import AsyncConnection, Connection
from hrims.remote.connection.model import Credential, StoredConnection

SELECT = """
SELECT c.version, c.address, c.connect_timeout, c.read_timeout, c.request_timeout, c.max_in_flight,
       c.changed_by, c.changed_at, s.name, s.value, s.set_by, s.set_at
FROM remote_connection c LEFT JOIN remote_credentials s ON true
"""


def read_connection(conn: Connection) -> StoredConnection:
    """Return the saved connection."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return _to_connection(cursor.execute(SELECT).fetchall())


async def read_connection_async(conn: AsyncConnection) -> StoredConnection:
    """Return the saved connection. For workers."""
    async with conn.cursor(row_factory=dict_row) as cursor:
        return _to_connection(await (await cursor.execute(SELECT)).fetchall())


def _to_connection(rows: list[dict[str, Any]]) -> StoredConnection:
    credentials = {
        row["name"]: Credential(bytes(row["value"]), row["set_by"], row["set_at"])
        for row in rows
        if row["name"]
    }
    fields = {name: rows[0][name] for name in StoredConnection.__struct_fields__ if name != "credentials"}
    return StoredConnection(**fields, credentials=credentials)
