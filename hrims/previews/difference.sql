-- What a preview would change: the people it keeps, against the employees as they are now. Every statement
-- is ``difference`` and what follows it, so that all of them see the same.

-- name: plan_by_index
-- Whatever the planner believes of the tables' size, employees are read by their index.
SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)

-- name: difference
WITH run AS (
    SELECT id, institution_id, identifier_type, coalesce(counted, '{1,2,3,4}') AS counted
    FROM runs WHERE id = %(run)s
), kept AS MATERIALIZED (
    -- Whoever was met on several pages is as the page that was saved last has them, as in a sync. Copies that a sync
    -- would undo at the end of the pass have the data of the record that stays (hrims/sync/repeats).
    SELECT DISTINCT ON (s.zan_id) s.*
    FROM preview_people s
    JOIN run_pages p USING (run_id, reading, page_size, page_number)
    WHERE s.run_id = %(run)s
    ORDER BY s.zan_id, p.saved_at DESC, p.reading DESC, p.page_size::bigint * p.page_number DESC, s.position
), places AS MATERIALIZED (
    -- A name that no workplace has yet would be registered, and matched by the register's names.
    SELECT n.name, CASE WHEN w.id IS NULL THEN i.id ELSE w.institution_id END AS institution_id
    FROM (SELECT DISTINCT current_workplace AS name FROM kept WHERE current_workplace IS NOT NULL) n
    LEFT JOIN workplaces w ON w.name_key = name_key(n.name)
    LEFT JOIN institutions i ON i.name_key = name_key(n.name)
), compared AS MATERIALIZED (
    SELECT k.zan_id, k.name, k.cadre, k.current_workplace, k.status,
           l.institution_id AS to_institution, e.institution_id AS from_institution,
           CASE WHEN e.id IS NULL THEN 'new' WHEN t.is_told THEN 'changed' ELSE 'unchanged' END AS kind,
           e.id IS NOT NULL AND e.institution_id IS DISTINCT FROM l.institution_id AS moves,
           e.left_at IS NOT NULL AS returns,
           -- Of whom the version speaks: as they are now, of those who would change.
           CASE WHEN t.is_told THEN md5((e.name, e.gender, e.date_of_birth, e.place_of_birth, e.region,
               e.country_of_birth, e.phone_number, e.contact_address, e.zssf_number, e.payroll_number,
               e.cadre, e.salary_scale, e.ministry, e.department, e.appointment_type, e.contract_type,
               e.recent_title_date, e.current_reporting_office, e.current_workplace, e.employment_date,
               e.confirmation_date, e.retirement_date, e.highest_education, e.status)::text) END AS was
    FROM kept k
    -- One look-up a person: OFFSET keeps the planner from joining the whole table instead.
    LEFT JOIN LATERAL (SELECT * FROM employees e WHERE e.zan_id = k.zan_id OFFSET 0) e ON true
    LEFT JOIN places l ON l.name = k.current_workplace
    CROSS JOIN LATERAL (
        SELECT e.id IS NOT NULL AND
               (e.name, e.gender, e.date_of_birth, e.place_of_birth, e.region, e.country_of_birth,
                e.phone_number, e.contact_address, e.zssf_number, e.payroll_number, e.cadre,
                e.salary_scale, e.ministry, e.department, e.appointment_type, e.contract_type,
                e.recent_title_date, e.current_reporting_office, e.current_workplace, e.employment_date,
                e.confirmation_date, e.retirement_date, e.highest_education, e.status)
            IS DISTINCT FROM
               (k.name, k.gender, k.date_of_birth, k.place_of_birth, k.region, k.country_of_birth,
                k.phone_number, k.contact_address, k.zssf_number, k.payroll_number, k.cadre,
                k.salary_scale, k.ministry, k.department, k.appointment_type, k.contract_type,
                k.recent_title_date, k.current_reporting_office, k.current_workplace, k.employment_date,
                k.confirmation_date, k.retirement_date, k.highest_education, k.status) AS differs
    ) d
    CROSS JOIN LATERAL (
        -- What differs only in white space or in the form of its characters is no change, as in a sync.
        SELECT CASE WHEN d.differs THEN EXISTS (
            SELECT FROM jsonb_each_text(to_jsonb(e)) b JOIN jsonb_each_text(to_jsonb(k)) a ON a.key = b.key
            WHERE clean_text(b.value) IS DISTINCT FROM clean_text(a.value)) ELSE false END AS is_told
    ) t
), unmet AS MATERIALIZED (
    -- Whom this list has and no reading met. Who of them is absent, hrims/employees/absence.sql tells, as at a run's end.
    SELECT e.id, e.zan_id, e.name, e.payroll_number, e.cadre, e.current_workplace, e.status
    FROM run
    JOIN listings l ON l.institution_id = run.institution_id AND l.identifier_type = run.identifier_type
    JOIN LATERAL (SELECT * FROM employees e WHERE e.id = l.employee_id OFFSET 0) e ON true
    WHERE l.ended_at IS NULL
      AND NOT EXISTS (SELECT FROM preview_people s WHERE s.run_id = run.id AND s.zan_id = e.zan_id)
)

-- name: count
-- The version is a digest of all that the difference shows: if it is the same, so is the difference.
SELECT count(*) FILTER (WHERE kind = 'new')::int, count(*) FILTER (WHERE kind = 'changed')::int,
       count(*) FILTER (WHERE kind = 'unchanged')::int, count(*) FILTER (WHERE moves)::int,
       count(*) FILTER (WHERE returns)::int, (SELECT count(*)::int FROM absent),
       count(*) FILTER (WHERE to_institution IS NULL)::int,
       (SELECT count(*)::int FROM rejects r, run
        WHERE r.run_id = run.id AND r.reading = run.counted[1]),
       md5(concat(
           string_agg(md5(ROW(zan_id, kind, from_institution, to_institution, returns, was)::text), ''
                      ORDER BY zan_id),
           (SELECT string_agg(zan_id, ',' ORDER BY zan_id) FROM absent)))
       || '-' ||
       md5(coalesce((SELECT string_agg(ROW(name, institution_id)::text, ',' ORDER BY name) FROM places), ''))
FROM compared

-- name: people
SELECT c.zan_id, c.name, c.cadre, c.current_workplace, c.status, d.changes, f.name, i.name, c.moves
FROM (
    SELECT * FROM compared
    WHERE CASE %(kind)s WHEN 'transfers' THEN moves WHEN 'returning' THEN returns ELSE kind = %(kind)s END
    ORDER BY zan_id LIMIT %(most)s OFFSET %(skip)s
) c
LEFT JOIN institutions f ON f.id = c.from_institution
LEFT JOIN institutions i ON i.id = c.to_institution
CROSS JOIN LATERAL (
    SELECT jsonb_object_agg(b.key, jsonb_build_array(b.value, a.value)) AS changes
    FROM employees e, kept k, jsonb_each(to_jsonb(e)) b, jsonb_each(to_jsonb(k)) a
    WHERE e.zan_id = c.zan_id AND k.zan_id = c.zan_id AND a.key = b.key
      AND clean_text(b.value #>> '{}') IS DISTINCT FROM clean_text(a.value #>> '{}')
) d
ORDER BY c.zan_id

-- name: missing
SELECT zan_id, name, cadre, current_workplace, status
FROM absent ORDER BY zan_id LIMIT %(most)s OFFSET %(skip)s

-- name: unmatched
SELECT current_workplace, count(*)::int
FROM compared WHERE to_institution IS NULL
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %(most)s OFFSET %(skip)s

-- name: rejected
SELECT r.page_size::bigint * r.page_number + r.position + 1 AS record, r.code, r.field, r.reason, r.masked,
       r.name, r.payroll_number, r.workplace
FROM rejects r JOIN runs ON runs.id = r.run_id
WHERE r.run_id = %(run)s AND r.reading = coalesce(runs.counted[1], 1)
ORDER BY record LIMIT %(most)s OFFSET %(skip)s
