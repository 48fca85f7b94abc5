-- Counts over the passes of a run. A rejected record has no name: its position identifies it.

-- name: count
-- A reject counts if every whole pass has it. If only some have it, HRIMS garbled it there, and other passes may have
-- met its person. A reject is recognized by its key. Of rejects that only a position identifies, the fewest of each
-- code count.
WITH pages AS (
    SELECT reading, people, remote_total FROM run_pages
    WHERE run_id = %(run)s AND reading = ANY(%(readings)s)
), whole AS (
    SELECT reading, sum(cardinality(people))::int AS met FROM pages WHERE reading <> %(edges)s GROUP BY reading
), rejected AS (
    SELECT reading, key, CASE WHEN key IS NULL THEN code END AS code, count(*) AS records
    FROM (
        SELECT r.reading, r.code, CASE WHEN r.record_key <> record_key(
                   'place:' || (r.page_size::bigint * r.page_number + r.position)) THEN r.record_key END AS key
        FROM rejects r JOIN whole w ON w.reading = r.reading WHERE r.run_id = %(run)s
    ) r GROUP BY 1, 2, 3
)
SELECT (SELECT count(DISTINCT id)::int FROM pages, unnest(people) AS id),
       (SELECT coalesce(sum(records), 0)::int FROM (
            SELECT min(records) AS records FROM rejected
            GROUP BY key, code HAVING count(*) = (SELECT count(*) FROM whole)) AS in_all),
       coalesce((SELECT met FROM whole WHERE reading = (%(readings)s::int[])[1]), 0)
           - (SELECT count(DISTINCT id)::int FROM pages, unnest(people) AS id
              WHERE reading = (%(readings)s::int[])[1]),
       NOT EXISTS (SELECT FROM pages WHERE remote_total <> %(total)s),
       %(total)s = 0 AND (EXISTS (SELECT FROM run_pages WHERE run_id = %(run)s AND records > 0)
                          OR EXISTS (SELECT FROM run_progress
                                     WHERE run_id = %(run)s AND (unsaved_total > 0 OR saved_before > 0))),
       -- One full page, and the page after it was not seen: the total may be that of the page.
       (SELECT count(*) = 1 AND bool_and(page_size = records AND records = %(total)s) FROM run_pages
        WHERE run_id = %(run)s AND reading = (%(readings)s::int[])[1] AND NOT %(single)s)

-- name: absent
-- A reject of the first pass explains a person who is absent from it. It does not if another pass had the same reject
-- there, or a few positions away because the list shifted. Then that record was a reject in both.
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
-- Whether every person who was read around the edges is on the page where the first pass met them. The position of a
-- record is its rank plus the rejects before it. A repeat on the page makes it unknown.
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

-- name: end_run
-- Save how many people this run would have met if the list were as long as in its last complete run. So a drop shows
-- immediately. A reject is listed as well: more rejects do not make the list shorter.
WITH done AS (
    UPDATE runs r
    SET state = 'completed', outcome = %(outcome)s, finished_at = now(), people = %(people)s,
        seen_twice = %(seen_twice)s, missing = %(missing)s, trouble = %(why)s, trouble_code = NULL,
        counted = %(readings)s,
        last_complete_people = CASE WHEN %(outcome)s <> 'incomplete' AND r.kind IN ('sync', 'preview', 'apply') THEN (
            SELECT greatest(b.people + p.rejected - %(rejected)s, 0)
            FROM runs b JOIN run_progress p ON p.run_id = b.id
            WHERE b.institution_id = r.institution_id AND b.identifier_type = r.identifier_type
              AND b.state = 'completed' AND b.kind IN ('sync', 'apply') AND b.id < r.id
              AND b.outcome IN ('complete', 'complete_after_repair')
            ORDER BY b.id DESC LIMIT 1) END
    WHERE r.id = %(run)s AND r.attempt = %(number)s AND r.state = 'active'
    RETURNING r.id
)
UPDATE run_attempts a SET ended_at = now(), ended_as = 'finished'
FROM done WHERE a.run_id = done.id AND a.number = %(number)s

-- name: end_progress
UPDATE run_progress
SET saved = %(people)s, rejected = %(rejected)s, repeated = %(listed_twice)s, remote_total = %(total)s,
    unchanged = %(people)s, note = NULL, updated_at = now()
WHERE run_id = %(run)s

-- name: count_employees
-- The counts of an ended run come from the tables. Of all employees that the counted passes met, they count those that
-- this run added, existing ones that it changed, and those without an institution.
WITH met AS MATERIALIZED (
    SELECT DISTINCT id FROM run_pages, unnest(people) AS id
    WHERE run_id = %(run)s AND reading = ANY(%(readings)s)
), changed AS MATERIALIZED (
    SELECT DISTINCT employee_id AS id FROM employee_changes WHERE run_id = %(run)s
), counts AS (
    SELECT count(*) FILTER (WHERE e.first_run_id = %(run)s)::int AS new,
           count(*) FILTER (WHERE e.first_run_id <> %(run)s AND c.id IS NOT NULL)::int AS changed,
           count(*) FILTER (WHERE e.institution_id IS NULL)::int AS unmatched, count(*)::int AS people
    FROM met m
    CROSS JOIN LATERAL (SELECT first_run_id, institution_id FROM employees WHERE id = m.id OFFSET 0) e
    LEFT JOIN changed c ON c.id = m.id
)
UPDATE run_progress p
SET new = c.new, changed = c.changed, unchanged = c.people - c.new - c.changed, unmatched = c.unmatched
FROM counts c WHERE p.run_id = %(run)s
