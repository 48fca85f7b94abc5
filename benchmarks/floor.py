"""The floor under a run, in a process of its own: pages are downloaded (httpx, some at a time), decoded,
mapped, copied and upserted, and nothing is guaranteed. Prints its seconds and its processor seconds.

``python -m benchmarks.floor URL DSN VOTE PAGES SIZE AT_ONCE``
"""

import asyncio
import sys
import time
from collections.abc import Iterator

import httpx
import msgspec
import psycopg

from hrims.db import AsyncConnection
from hrims.employees.mapping import COLUMNS, Row, to_row
from hrims.employees.store import DATES
from hrims.remote.wire import decode_page

TYPES = ["date" if column in DATES else "text" for column in COLUMNS]
COLUMNS_SQL = ", ".join(f"{column} {kind}" for column, kind in zip(COLUMNS, TYPES, strict=True))
NAMES = ", ".join(COLUMNS)
UPSERT = f"""
INSERT INTO floor ({NAMES}) SELECT DISTINCT ON (zan_id) {NAMES} FROM staged ORDER BY zan_id
ON CONFLICT (zan_id) DO UPDATE SET {", ".join(f"{one} = excluded.{one}" for one in COLUMNS[1:])}
WHERE (floor.*) IS DISTINCT FROM (excluded.*)
"""  # noqa: S608 - our own column names


async def main(url: str, dsn: str, vote: str, pages: int, size: int, at_once: int) -> None:
    """Fetches and keeps all pages."""
    connections = [await _connect(dsn) for _ in range(at_once)]
    numbers = iter(range(pages))
    async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
        began, used = time.monotonic(), time.process_time()
        lanes = (_lane(http, url, vote, conn, numbers, size) for conn in connections)
        await asyncio.gather(*lanes)
        print(time.monotonic() - began, time.process_time() - used)
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
        rows = [row for record in page.records if isinstance(row := to_row(record), Row)]
        async with conn.cursor() as cursor, cursor.copy(b"COPY staged FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(TYPES)
            for row in rows:
                await copy.write_row(row)
        await conn.execute(UPSERT.encode())
        await conn.commit()


if __name__ == "__main__":
    _url, _dsn, _vote, *_numbers = sys.argv[1:]
    asyncio.run(main(_url, _dsn, _vote, *map(int, _numbers)))
