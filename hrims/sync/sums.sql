-- What the readings of a run come to. A record that is rejected has no name: it goes by its place.

-- name: count
-- Of what has no name, no more than the whole reading that met the fewest: one that moved is met twice.
WITH pages AS (
    SELECT reading, records, people, remote_total FROM run_pages
    WHERE run_id = %(run)s AND reading = ANY(%(readings)s)
), whole AS (
    SELECT p.reading, sum(p.records)::int AS records, sum(cardinality(p.people))::int AS met,
           (SELECT count(*)::int FROM rejects r
            WHERE r.run_id = %(run)s AND r.reading = p.reading) AS rejected
    FROM pages p WHERE p.reading <> %(edges)s GROUP BY p.reading
)
SELECT (SELECT count(DISTINCT id)::int FROM pages, unnest(people) AS id),
       coalesce((SELECT min(rejected) FROM whole), 0),
       coalesce((SELECT min(records - met - rejected) FROM whole), 0),
       coalesce((SELECT met FROM whole WHERE reading = (%(readings)s::int[])[1]), 0)
           - (SELECT count(DISTINCT id)::int FROM pages, unnest(people) AS id
              WHERE reading = (%(readings)s::int[])[1]),
       NOT EXISTS (SELECT FROM pages WHERE remote_total <> %(total)s)

-- name: same_people
-- Whether two readings met the same people, each as often, and as many rejects.
WITH met AS (
    SELECT reading, array_agg(id ORDER BY id) AS people
    FROM run_pages LEFT JOIN unnest(people) AS id ON true
    WHERE run_id = %(run)s AND reading IN (%(one)s, %(other)s) GROUP BY reading
)
SELECT count(DISTINCT people) = 1 AND count(*) = 2
       AND (SELECT count(*) FROM rejects WHERE run_id = %(run)s AND reading = %(one)s)
         = (SELECT count(*) FROM rejects WHERE run_id = %(run)s AND reading = %(other)s)
FROM met

-- name: absent
-- A reject of the first reading explains one who is absent from it, unless another reading had the same
-- reject there (or a few places off, should the list have shifted): that one was nobody before either.
WITH met AS (
    SELECT id, bool_or(reading = %(first)s) AS now
    FROM run_pages, unnest(people) AS id
    WHERE run_id = %(run)s AND reading = ANY(%(readings)s) GROUP BY id
), rejected AS (
    SELECT reading, code, page_size::bigint * page_number + position AS place
    FROM rejects WHERE run_id = %(run)s AND reading = ANY(%(readings)s)
)
SELECT (SELECT count(*) FROM met WHERE NOT now)::int - (
    SELECT count(*) FROM rejected r
    WHERE r.reading = %(first)s AND NOT EXISTS (
        SELECT FROM rejected o
        WHERE o.reading <> %(first)s AND o.code = r.code AND abs(o.place - r.place) <= 3))::int

-- name: edges_hold
-- Whether the people of every page of the edges were met on that page of the first reading.
WITH pages AS (
    SELECT reading, people, page_size::bigint * page_number AS start,
           page_size::bigint * page_number + records AS stop
    FROM run_pages WHERE run_id = %(run)s AND reading IN (%(first)s, %(edges)s)
)
SELECT NOT EXISTS (
    SELECT FROM pages e
    JOIN pages p ON p.reading = %(first)s AND p.start <= e.start AND e.start < p.stop
    WHERE e.reading = %(edges)s AND NOT e.people <@ p.people)
