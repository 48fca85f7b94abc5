"""What pages counted and what runs came to, in SQL. Each function works inside its caller's transaction."""

from typing import Any

from psycopg.types.json import Jsonb

from hrims.db import AsyncConnection
from hrims.drift.rules import Change, Measured

# A page that was read again must not count twice: only the first reading is summed. A name that some page did
# not count, because the page was saved by another version, has no sum over the run.
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


async def measured(conn: AsyncConnection, run_id: int) -> Measured:
    """Return the counts of a run, summed over the pages of its first reading."""
    row = await (await conn.execute(SUMS, {"run": run_id})).fetchone()
    assert row is not None
    records, people, sampled, *counts = row
    return Measured(records, people, sampled, *(names or {} for names in counts))


async def before(conn: AsyncConnection, run_id: int) -> tuple[int, Measured] | None:
    """Return the last completed run of the same listing that sampled records, and what it measured."""
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
    return (row[0], Measured(*row[1:])) if row else None


async def met_before(conn: AsyncConnection, run_id: int) -> set[str]:
    """The unknown fields that earlier runs of the same listing met: a rare one is not in every sample."""
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


async def keep(
    conn: AsyncConnection, run_id: int, before_run_id: int | None, now: Measured, changes: list[Change]
) -> None:
    """Keeps what a run measured and what that changed."""
    told: list[dict[str, Any]] = [one._asdict() for one in changes]
    await conn.execute(
        """
        INSERT INTO run_drift (run_id, before_run_id, records, people, sampled, filled, present, unknown,
                               retyped, changes)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (run_id, before_run_id, *now[:3], *map(Jsonb, now[3:]), Jsonb(told)),
    )
