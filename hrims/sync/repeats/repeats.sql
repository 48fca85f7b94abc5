-- Records of a pass that share a ZanID. Run by hrims/sync/repeats/store.py.

-- name: find_records
-- Every record of the employees that these passes hold more than once.
-- With "contested": every record, in all passes, of the employees that these passes hold and that the run met with
-- different data. With "ids": every record of these employees.
-- A page lists its people in order and without its rejects, so the n-th of them has the n-th free position.
WITH met AS MATERIALIZED (
    SELECT p.reading, p.page_size, p.page_number, p.records, p.saved_at, m.id, m.digest, m.nth
    FROM run_pages p
    CROSS JOIN LATERAL unnest(p.people, p.record_digests) WITH ORDINALITY AS m(id, digest, nth)
    WHERE p.run_id = %(run)s AND (%(contested)s OR p.reading = ANY(%(readings)s))
      AND (%(ids)s::bigint[] IS NULL OR m.id = ANY(%(ids)s))
), repeated AS (
    SELECT id FROM met GROUP BY id
    HAVING %(ids)s::bigint[] IS NOT NULL
        OR count(*) > 1 AND bool_or(reading = ANY(%(readings)s)) AND (NOT %(contested)s OR min(digest) <> max(digest))
)
SELECT m.id, m.reading, m.page_size, m.page_number, place.position, m.digest, extract(epoch FROM m.saved_at)::float8
FROM met m
JOIN repeated USING (id)
CROSS JOIN LATERAL (
    SELECT position FROM generate_series(0, m.records - 1) AS position
    WHERE NOT EXISTS (
        SELECT FROM rejects r
        WHERE r.run_id = %(run)s AND r.reading = m.reading AND r.page_size = m.page_size
          AND r.page_number = m.page_number AND r.position = position.position)
    ORDER BY position OFFSET m.nth - 1 LIMIT 1
) place
WHERE m.digest IS NOT NULL
ORDER BY m.id, m.reading, m.page_size, m.page_number, place.position

-- name: find_replaced
-- Employees whose identity this run changed, or would change if it is a preview.
SELECT employee_id FROM employee_changes
WHERE run_id = %(run)s AND changes ?| ARRAY['name', 'date_of_birth', 'payroll_number']
UNION
SELECT ('1' || s.zan_id)::bigint FROM preview_people s JOIN employees e USING (zan_id)
WHERE s.run_id = %(run)s
  AND (s.name, s.date_of_birth, s.payroll_number) IS DISTINCT FROM (e.name, e.date_of_birth, e.payroll_number)

-- name: lock_workplaces
-- Lock workplaces before employees, in the same order as a page does. A user who maps one of these workplaces waits,
-- and then moves the rows.
SELECT w.id FROM workplaces w
WHERE w.name_key IN (
    SELECT name_key(e.current_workplace) FROM employees e WHERE e.id = ANY(%(ids)s)
    UNION
    SELECT name_key(place) FROM employee_changes c, jsonb_array_elements_text(c.changes -> 'current_workplace') AS place
    WHERE c.run_id = %(run)s AND c.employee_id = ANY(%(ids)s))
ORDER BY w.id FOR SHARE

-- name: lock_employees
-- In key order, as a page locks them. What this run changed is undone only if nothing changed the row since.
SELECT e.id, to_jsonb(e),
       CASE WHEN e.last_changed_run_id = %(run)s THEN (
           SELECT jsonb_agg(c.changes ORDER BY c.id) FROM employee_changes c
           WHERE c.run_id = %(run)s AND c.employee_id = e.id) END
FROM employees e WHERE e.id = ANY(%(ids)s) ORDER BY e.zan_id FOR NO KEY UPDATE

-- name: restore_employee
-- Set the row to its state before this run, or after one of its changes. Its workplace follows from the name of the
-- workplace.
WITH removed AS (
    DELETE FROM employee_changes WHERE run_id = %(run)s AND employee_id = %(id)s
), added AS (
    INSERT INTO employee_changes (employee_id, run_id, changes)
    SELECT %(id)s, %(run)s, %(changes)s::jsonb WHERE %(changes)s::jsonb <> '{}'
), wanted AS (
    SELECT r.*, w.id AS place_id, w.institution_id AS home_id
    FROM employees e
    CROSS JOIN LATERAL jsonb_populate_record(e, %(row)s::jsonb) r
    LEFT JOIN workplaces w ON w.name_key = name_key(r.current_workplace)
    WHERE e.id = %(id)s
)
UPDATE employees e
SET {columns = w.columns},
    workplace_id = w.place_id, institution_id = w.home_id, updated_at = now(),
    last_changed_run_id = CASE WHEN %(changes)s::jsonb <> '{}' THEN %(run)s ELSE coalesce(
        (SELECT c.run_id FROM employee_changes c
         WHERE c.employee_id = e.id AND c.run_id <> %(run)s ORDER BY c.id DESC LIMIT 1), e.first_run_id) END
FROM wanted w WHERE e.id = %(id)s

-- name: find_employees_of_preview
-- A preview identifies a person by a number made of the ZanID. The row is NULL for a ZanID that no employee has.
SELECT m.id, to_jsonb(e)
FROM unnest(%(ids)s::bigint[]) AS m(id)
LEFT JOIN LATERAL (SELECT * FROM employees e WHERE e.zan_id = substr(m.id::text, 2) OFFSET 0) e ON true

-- name: unsave_record
-- Remove a rejected record from the people of its page.
UPDATE run_pages p
SET people = array(SELECT m.id FROM unnest(p.people) WITH ORDINALITY AS m(id, nth)
                   WHERE m.nth <> found.nth ORDER BY m.nth),
    record_digests = array(SELECT d.digest FROM unnest(p.record_digests) WITH ORDINALITY AS d(digest, nth)
                           WHERE d.nth <> found.nth ORDER BY d.nth)
FROM (
    SELECT %(position)s + 1 - count(*) AS nth FROM rejects r
    WHERE r.run_id = %(run)s AND r.reading = %(reading)s AND r.page_size = %(size)s AND r.page_number = %(number)s
      AND r.position < %(position)s
) found
WHERE p.run_id = %(run)s AND p.reading = %(reading)s AND p.page_size = %(size)s AND p.page_number = %(number)s

-- name: unstage_record
DELETE FROM preview_people
WHERE run_id = %(run)s AND reading = %(reading)s AND page_size = %(size)s AND page_number = %(number)s
  AND position = %(position)s
RETURNING name, payroll_number, current_workplace

-- name: copy_staged
-- Give a copy of a record the data of the record that is kept. A sync restores the employee's row instead.
UPDATE preview_people c
SET {columns = k.columns}
FROM preview_people k
WHERE c.run_id = %(run)s AND c.reading = %(reading)s AND c.page_size = %(size)s AND c.page_number = %(number)s
  AND c.position = %(position)s
  AND k.run_id = %(run)s AND k.reading = %(kept_reading)s AND k.page_size = %(kept_size)s
  AND k.page_number = %(kept_number)s AND k.position = %(kept_position)s
