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
-- Whether everybody who was looked at around the edges stands on the page on which the first reading met
-- them. Where somebody stands, rejects before them on their page tell; one who is twice on it, nobody can.
WITH pages AS (
    SELECT reading, page_size, page_number, records, people, page_size::bigint * page_number AS start
    FROM run_pages WHERE run_id = %(run)s AND reading IN (%(first)s, %(edges)s)
), looked AS (
    SELECT l.start, l.records, l.people, array(
        SELECT place FROM generate_series(0, l.records - 1) AS place
        WHERE NOT EXISTS (
            SELECT FROM rejects r WHERE r.run_id = %(run)s AND r.reading = l.reading
            AND r.page_size = l.page_size AND r.page_number = l.page_number AND r.position = place)
        ORDER BY place) AS places
    FROM pages l WHERE l.reading = %(edges)s
)
SELECT NOT EXISTS (SELECT FROM looked WHERE cardinality(people) <> cardinality(places))
   AND NOT EXISTS (
    SELECT FROM looked l
    JOIN pages p ON p.reading = %(first)s
        AND p.start < l.start + l.records AND l.start < p.start + p.records
    CROSS JOIN LATERAL unnest(l.people, l.places) AS stood(id, place)
    WHERE l.start + stood.place >= p.start AND l.start + stood.place < p.start + p.records
      AND NOT stood.id = ANY(p.people))
