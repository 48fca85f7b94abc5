-- Keeps the people of one page. Run in this order, in one transaction, by hrims/employees/store.py.

-- name: plan_by_index
-- A page must never read the whole table: with old statistics the planner would (a hash join over all
-- employees for a hundred of them), so for this transaction only the index on zan_id is left to it.
-- JIT would compile for longer than the statements run, and planning them for each page anew would find nothing
-- better.
SELECT set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
       set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)

-- name: stage
CREATE TEMP TABLE IF NOT EXISTS staged_people (
    position integer, workplace_id bigint, institution_id bigint,
    zan_id text, name text, gender text, date_of_birth date, place_of_birth text, region text,
    country_of_birth text, phone_number text, contact_address text, zssf_number text,
    payroll_number text, cadre text, salary_scale text, ministry text, department text,
    appointment_type text, contract_type text, recent_title_date date,
    current_reporting_office text, current_workplace text, employment_date date,
    confirmation_date date, retirement_date date, highest_education text, status text
) ON COMMIT DELETE ROWS

-- name: copy_staged
COPY staged_people FROM STDIN (FORMAT binary)

-- name: insert_new
-- In key order, so that two runs that meet the same people wait for one another and never in a ring.
INSERT INTO employees (zan_id, name, gender, date_of_birth, place_of_birth, region,
    country_of_birth, phone_number, contact_address, zssf_number, payroll_number, cadre,
    salary_scale, ministry, department, appointment_type, contract_type, recent_title_date,
    current_reporting_office, current_workplace, employment_date, confirmation_date,
    retirement_date, highest_education, status, workplace_id, institution_id,
    first_run_id, last_changed_run_id)
SELECT s.zan_id, s.name, s.gender, s.date_of_birth, s.place_of_birth, s.region,
    s.country_of_birth, s.phone_number, s.contact_address, s.zssf_number, s.payroll_number, s.cadre,
    s.salary_scale, s.ministry, s.department, s.appointment_type, s.contract_type,
    s.recent_title_date, s.current_reporting_office, s.current_workplace, s.employment_date,
    s.confirmation_date, s.retirement_date, s.highest_education, s.status, s.workplace_id,
    s.institution_id, %(run_id)s, %(run_id)s
FROM staged_people s
WHERE NOT EXISTS (SELECT FROM employees e WHERE e.zan_id = s.zan_id)
ORDER BY s.zan_id
ON CONFLICT (zan_id) DO NOTHING

-- name: update_changed
-- Whoever differs is locked in key order and compared as they are after the lock; whoever does not
-- is not touched, so that syncing again what has not changed writes no employee.
WITH differing AS MATERIALIZED (
    SELECT e.id, s.zan_id AS staged_zan_id, to_jsonb(e) AS before, to_jsonb(s) AS after
    FROM staged_people s
    JOIN employees e ON e.zan_id = s.zan_id
    WHERE (e.name, e.gender, e.date_of_birth, e.place_of_birth, e.region, e.country_of_birth,
           e.phone_number, e.contact_address, e.zssf_number, e.payroll_number, e.cadre,
           e.salary_scale, e.ministry, e.department, e.appointment_type, e.contract_type,
           e.recent_title_date, e.current_reporting_office, e.current_workplace, e.employment_date,
           e.confirmation_date, e.retirement_date, e.highest_education, e.status)
       IS DISTINCT FROM
          (s.name, s.gender, s.date_of_birth, s.place_of_birth, s.region, s.country_of_birth,
           s.phone_number, s.contact_address, s.zssf_number, s.payroll_number, s.cadre,
           s.salary_scale, s.ministry, s.department, s.appointment_type, s.contract_type,
           s.recent_title_date, s.current_reporting_office, s.current_workplace, s.employment_date,
           s.confirmation_date, s.retirement_date, s.highest_education, s.status)
    ORDER BY e.zan_id
    FOR UPDATE OF e
), told AS (
    INSERT INTO employee_changes (employee_id, run_id, changes)
    SELECT d.id, %(run_id)s, c.changes
    FROM differing d
    CROSS JOIN LATERAL (
        SELECT jsonb_object_agg(b.key, jsonb_build_array(b.value, a.value)) AS changes
        FROM jsonb_each(d.before) b
        JOIN jsonb_each(d.after) a ON a.key = b.key
        WHERE b.value IS DISTINCT FROM a.value AND b.key NOT IN ('workplace_id', 'institution_id')
    ) c
)
UPDATE employees e
SET name = s.name, gender = s.gender, date_of_birth = s.date_of_birth,
    place_of_birth = s.place_of_birth, region = s.region, country_of_birth = s.country_of_birth,
    phone_number = s.phone_number, contact_address = s.contact_address,
    zssf_number = s.zssf_number, payroll_number = s.payroll_number, cadre = s.cadre,
    salary_scale = s.salary_scale, ministry = s.ministry, department = s.department,
    appointment_type = s.appointment_type, contract_type = s.contract_type,
    recent_title_date = s.recent_title_date,
    current_reporting_office = s.current_reporting_office,
    current_workplace = s.current_workplace, employment_date = s.employment_date,
    confirmation_date = s.confirmation_date, retirement_date = s.retirement_date,
    highest_education = s.highest_education, status = s.status,
    workplace_id = s.workplace_id, institution_id = s.institution_id,
    last_changed_run_id = %(run_id)s, updated_at = now()
FROM differing d
JOIN staged_people s ON s.zan_id = d.staged_zan_id
WHERE e.id = d.id

-- name: list_people
-- Who is on this institution's list now and was not before. Returns everybody's id in page order, how many
-- are new on the list, and who is on it again after it had missed them. The list is looked into person by
-- person (LATERAL with OFFSET, which is not taken apart), because a join may be planned over all of it.
WITH kept AS (
    SELECT e.id, s.zan_id, s.position, l.employee_id AS listed, coalesce(l.missed_runs > 0, false) AS again
    FROM staged_people s
    JOIN employees e ON e.zan_id = s.zan_id
    LEFT JOIN LATERAL (
        SELECT employee_id, missed_runs FROM listings
        WHERE institution_id = %(institution_id)s AND identifier_type = %(identifier_type)s
          AND employee_id = e.id
        OFFSET 0
    ) l ON true
), listed AS (
    INSERT INTO listings (institution_id, identifier_type, employee_id, since_run_id)
    SELECT %(institution_id)s, %(identifier_type)s, k.id, %(run_id)s
    FROM kept k
    WHERE %(institution_id)s::bigint IS NOT NULL AND k.listed IS NULL
    ORDER BY k.zan_id
    ON CONFLICT (institution_id, identifier_type, employee_id) DO NOTHING
    RETURNING employee_id
)
SELECT coalesce(array_agg(k.id ORDER BY k.position), '{}'), (SELECT count(*) FROM listed),
       coalesce(array_agg(k.id) FILTER (WHERE k.again), '{}')
FROM kept k

-- name: list_again
-- The list goes on with them. Their rows are held first, so that no other list which ends just now makes
-- leavers of them unseen. Returns those for whom the list had ended.
WITH held AS MATERIALIZED (
    SELECT id FROM employees WHERE id = ANY(%(again)s) ORDER BY zan_id FOR KEY SHARE
)
UPDATE listings l
SET missed_runs = 0, missed_since_run_id = NULL, ended_at = NULL, ended_run_id = NULL,
    since_run_id = CASE WHEN l.ended_at IS NULL THEN l.since_run_id ELSE %(run_id)s END
FROM held h
WHERE l.institution_id = %(institution_id)s AND l.identifier_type = %(identifier_type)s
  AND l.employee_id = h.id AND l.missed_runs > 0
RETURNING CASE WHEN l.since_run_id = %(run_id)s THEN l.employee_id END

-- name: come_back
-- Leavers who are on a list again are none any more. Asked after the lists were written, in a statement of
-- its own: only so does it see what another run concluded while this one waited for it.
WITH back AS (
    UPDATE employees SET left_at = NULL, left_run_id = NULL, updated_at = now()
    WHERE id = ANY(%(ids)s) AND left_run_id IS NOT NULL
    RETURNING id
)
INSERT INTO employee_events (employee_id, kind, institution_id, identifier_type, run_id)
SELECT id, 'came_back', %(institution_id)s, %(identifier_type)s, %(run_id)s FROM back
UNION ALL
SELECT id, 'listed_again', %(institution_id)s, %(identifier_type)s, %(run_id)s
FROM unnest(%(reopened)s::bigint[]) AS id WHERE id NOT IN (SELECT id FROM back)
