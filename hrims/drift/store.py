"""SQL for the counts of pages and runs. Each function works inside its caller's transaction."""

from typing import Any

from psycopg.types.json import Jsonb

from hrims.db import AsyncConnection
from hrims.drift.rules import Change, RunCounts

# Count a page once: sum only the first pass. A name that some page did not count, because another version
# saved that page, has no sum for the run.
SUMS = """
WITH pages AS (
    SELECT records, cardinality(people) AS people, sampled, counts -> 'filled' AS filled,
           counts -> 'present' AS present, odd
    FROM run_pages WHERE run_id = %(run)s AND reading = 1 AND counts IS NOT NULL
), filled AS (
    SELECT c.key AS name, sum(c.value::int)::int AS n FROM pages, jsonb_each_text(filled) AS c
    GROUP BY 1 HAVING count(*) = (SELECT count(*) FROM pages)
), present AS (
    SELECT c.key AS name, sum(c.value::int)::int AS n FROM pages, jsonb_each_text(present) AS c
    GROUP BY 1 HAVING count(*) = (SELECT count(present) FROM pages)
), odd AS (
    SELECT kind.key AS kind, path.key AS path, sum(path.value::int)::int AS n
    FROM pages, jsonb_each(odd) AS kind, jsonb_each_text(kind.value) AS path GROUP BY 1, 2
)
SELECT coalesce(sum(records), 0)::int, coalesce(sum(people), 0)::int, coalesce(sum(sampled), 0)::int,
       (SELECT jsonb_object_agg(name, n) FROM filled), (SELECT jsonb_object_agg(name, n) FROM present),
       (SELECT jsonb_object_agg(path, n) FROM odd WHERE kind = 'unknown'),
       (SELECT jsonb_object_agg(path, n) FROM odd WHERE kind = 'retyped')
FROM pages
"""


async def sum_counts(conn: AsyncConnection, run_id: int) -> RunCounts:
    """Return the counts of a run, summed over the pages of its first pass."""
    row = await (await conn.execute(SUMS, {"run": run_id})).fetchone()
    assert row is not None
    records, people, sampled, *counts = row
    return RunCounts(records, people, sampled, *(names or {} for names in counts))


async def find_previous(conn: AsyncConnection, run_id: int) -> tuple[int, RunCounts] | None:
    """Return the last completed run of the same list that sampled records, and its counts."""
    row = await (
        await conn.execute(
            """
            SELECT d.run_id, d.records, d.people, d.sampled, d.filled, d.present, d.unknown, d.retyped
            FROM runs r
            JOIN runs b ON b.institution_id = r.institution_id AND b.id < r.id
            JOIN run_drift d ON d.run_id = b.id
            WHERE r.id = %s AND b.identifier_type = r.identifier_type AND b.state = 'completed'
              AND d.sampled > 0
            ORDER BY b.id DESC LIMIT 1
            """,
            (run_id,),
        )
    ).fetchone()
    return (row[0], RunCounts(*row[1:])) if row else None


async def list_unknown_fields(conn: AsyncConnection, run_id: int) -> set[str]:
    """Return the unknown fields of all earlier runs of the same list. A rare field is not in every sample."""
    rows = await conn.execute(
        """
        SELECT DISTINCT jsonb_object_keys(d.unknown)
        FROM runs r
        JOIN runs b ON b.institution_id = r.institution_id AND b.id < r.id
        JOIN run_drift d ON d.run_id = b.id
        WHERE r.id = %s AND b.identifier_type = r.identifier_type
        """,
        (run_id,),
    )
    return {path async for (path,) in rows}


async def save(
    conn: AsyncConnection, run_id: int, before_run_id: int | None, now: RunCounts, changes: list[Change]
) -> None:
    """Save the counts of a run and its changes."""
    rows: list[dict[str, Any]] = [change._asdict() for change in changes]
    await conn.execute(
        """
        INSERT INTO run_drift (run_id, before_run_id, records, people, sampled, filled, present, unknown,
                               retyped, changes)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (run_id, before_run_id, *now[:3], *map(Jsonb, now[3:]), Jsonb(rows)),
    )
