"""The floor of a run: the minimum work, without any guarantee, in a separate process.

Pages are downloaded (httpx, some at the same time), decoded, mapped, copied and upserted. Prints the seconds
and the processor seconds. ``python -m benchmarks.floor URL DSN VOTE PAGES SIZE AT_ONCE``
"""

import asyncio
import sys
import time
from collections.abc import Iterator

import httpx
import msgspec
import psycopg

from hrims.db import AsyncConnection
from hrims.employees.fields import COLUMNS, SQL_TYPES, Row
from hrims.employees.mapping import map_record
from hrims.remote.wire import decode_page

COLUMNS_SQL = ", ".join(f"{column} {kind}" for column, kind in SQL_TYPES.items())
NAMES = ", ".join(COLUMNS)
UPSERT = f"""
INSERT INTO floor ({NAMES}) SELECT DISTINCT ON (zan_id) {NAMES} FROM staged ORDER BY zan_id
ON CONFLICT (zan_id) DO UPDATE SET {", ".join(f"{column} = excluded.{column}" for column in COLUMNS[1:])}
WHERE (floor.*) IS DISTINCT FROM (excluded.*)
"""  # noqa: S608 - our own column names


async def main(url: str, dsn: str, vote: str, pages: int, size: int, at_once: int) -> None:
    """Fetch and save all pages."""
    connections = [await _connect(dsn) for _ in range(at_once)]
    numbers = iter(range(pages))
    async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
        started_at, used = time.monotonic(), time.process_time()
        lanes = (_lane(http, url, vote, conn, numbers, size) for conn in connections)
        await asyncio.gather(*lanes)
        print(time.monotonic() - started_at, time.process_time() - used)
    for conn in connections:
        await conn.close()


async def _connect(dsn: str) -> AsyncConnection:
    conn = await psycopg.AsyncConnection.connect(dsn)
    await conn.execute(f"CREATE TEMP TABLE staged ({COLUMNS_SQL}) ON COMMIT DELETE ROWS".encode())
    await conn.commit()
    return conn


async def _lane(
    http: httpx.AsyncClient, url: str, vote: str, conn: AsyncConnection, numbers: Iterator[int], size: int
) -> None:
    for number in numbers:
        about = {"PageNumber": number, "PageSize": size, "RequestBody": vote}
        ask = msgspec.json.encode({"RequestId": "204", "RequestPayloadData": about})
        answer = await http.post(f"{url}/Employees", content=ask)
        page = decode_page(answer.content, number=number, size=size)
        rows = [row for record in page.records if isinstance(row := map_record(record), Row)]
        async with conn.cursor() as cursor, cursor.copy(b"COPY staged FROM STDIN (FORMAT binary)") as copy:
            copy.set_types([*SQL_TYPES.values()])
            for row in rows:
                await copy.write_row(row)
        await conn.execute(UPSERT.encode())
        await conn.commit()


if __name__ == "__main__":
    _url, _dsn, _vote, *_numbers = sys.argv[1:]
    asyncio.run(main(_url, _dsn, _vote, *map(int, _numbers)))
