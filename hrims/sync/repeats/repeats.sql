-- Records of a pass that share a ZanID. Run by hrims/sync/repeats/store.py.

-- name: find_records
-- Every record of the employees that these readings hold more than once. With "contested", every record in all readings
-- of the employees that these readings hold and that the run met with different data. A page holds its people in order
-- and without its rejects, so the n-th of them has the n-th free position.
WITH met AS MATERIALIZED (
    SELECT p.reading, p.page_size, p.page_number, p.records, p.saved_at, m.id, m.digest, m.nth
    FROM run_pages p
    CROSS JOIN LATERAL unnest(p.people, p.record_digests) WITH ORDINALITY AS m(id, digest, nth)
    WHERE p.run_id = %(run)s AND (%(contested)s OR p.reading = ANY(%(readings)s))
), repeated AS (
    SELECT id, min(digest >> 32) <> max(digest >> 32) AS is_shared FROM met GROUP BY id
    HAVING count(*) > 1 AND bool_or(reading = ANY(%(readings)s))
       AND (NOT %(contested)s OR min(digest) <> max(digest))
), edges AS MATERIALIZED (
    SELECT page_size::bigint * page_number AS start, page_size::bigint * page_number + records AS stop, saved_at
    FROM run_pages WHERE run_id = %(run)s AND reading = %(edges)s
)
SELECT m.id, m.reading, m.page_size, m.page_number, place.position, m.digest,
       extract(epoch FROM m.saved_at)::float8,
       CASE WHEN r.is_shared AND m.reading <> %(edges)s THEN EXISTS (
           SELECT FROM edges e
           WHERE e.saved_at > m.saved_at
             AND m.page_size::bigint * m.page_number + place.position BETWEEN e.start AND e.stop - 1) ELSE false END
FROM met m
JOIN repeated r ON r.id = m.id
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

-- name: lock_workplaces
-- Before the employees, as a page locks them: a user who maps one of these workplaces waits, and then moves the rows.
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
-- The row as it was before this run, or after one of its changes; its workplace follows from its name.
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
SET name = w.name, gender = w.gender, date_of_birth = w.date_of_birth, place_of_birth = w.place_of_birth,
    region = w.region, country_of_birth = w.country_of_birth, phone_number = w.phone_number,
    contact_address = w.contact_address, zssf_number = w.zssf_number, payroll_number = w.payroll_number,
    cadre = w.cadre, salary_scale = w.salary_scale, ministry = w.ministry, department = w.department,
    appointment_type = w.appointment_type, contract_type = w.contract_type,
    recent_title_date = w.recent_title_date, current_reporting_office = w.current_reporting_office,
    current_workplace = w.current_workplace, employment_date = w.employment_date,
    confirmation_date = w.confirmation_date, retirement_date = w.retirement_date,
    highest_education = w.highest_education, status = w.status,
    workplace_id = w.place_id, institution_id = w.home_id, updated_at = now(),
    last_changed_run_id = CASE WHEN %(changes)s::jsonb <> '{}' THEN %(run)s ELSE coalesce(
        (SELECT c.run_id FROM employee_changes c
         WHERE c.employee_id = e.id AND c.run_id <> %(run)s ORDER BY c.id DESC LIMIT 1), e.first_run_id) END
FROM wanted w WHERE e.id = %(id)s

-- name: find_employees_of_preview
-- A preview knows people by a number made of their ZanID. NULL for a ZanID that no employee has.
SELECT m.id, to_jsonb(e)
FROM unnest(%(ids)s::bigint[]) AS m(id)
LEFT JOIN LATERAL (SELECT * FROM employees e WHERE e.zan_id = substr(m.id::text, 2) OFFSET 0) e ON true

-- name: unsave_record
-- A record that is rejected is no employee of its page.
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
-- Where a sync would restore the row of an employee, every copy of the record in a preview is the one that stays.
UPDATE preview_people c
SET {columns}
FROM preview_people k
WHERE c.run_id = %(run)s AND c.reading = %(reading)s AND c.page_size = %(size)s AND c.page_number = %(number)s
  AND c.position = %(position)s
  AND k.run_id = %(run)s AND k.reading = %(kept_reading)s AND k.page_size = %(kept_size)s
  AND k.page_number = %(kept_number)s AND k.position = %(kept_position)s
