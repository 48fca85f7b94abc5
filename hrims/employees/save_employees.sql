-- Keeps the people of one page. Run in this order, in one transaction, by hrims/employees/store.py.

-- name: plan_by_index
-- A page must never read the whole table: with old statistics the planner would (a hash join over all
-- employees for a hundred of them), so for this transaction only the index on zan_id is left to it.
-- JIT would compile for longer than the statements run, and planning them for each page anew would find nothing
-- better.
SELECT set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
       set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)

-- name: keep
-- Keeps a page in one statement, which reads everybody once: where they work, who is new, who differs and who
-- was not on this institution's list is worked out of one look. Returns everybody's id in page order; how many
-- were new, were changed, came onto the list, and have no institution; who is on the list again after it had
-- missed them; and whether a workplace was met for the first time. If one was, nothing was kept: add the
-- workplaces and run the statement again. No id is returned for whom another run added since the look: then only
-- new people were added, so that the next run of the statement locks everybody else in order.
WITH staged AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(people)s::json) AS s (
        position integer, zan_id text, name text, gender text, date_of_birth date, place_of_birth text,
        region text, country_of_birth text, phone_number text, contact_address text, zssf_number text,
        payroll_number text, cadre text, salary_scale text, ministry text, department text,
        appointment_type text, contract_type text, recent_title_date date,
        current_reporting_office text, current_workplace text, employment_date date,
        confirmation_date date, retirement_date date, highest_education text, status text)
), named AS MATERIALIZED (
    SELECT name, name_key(name) AS key
    FROM (SELECT DISTINCT current_workplace AS name FROM staged WHERE current_workplace IS NOT NULL) n
), unknown AS MATERIALIZED (
    SELECT name FROM named n WHERE NOT EXISTS (SELECT FROM workplaces w WHERE w.name_key = n.key)
), places AS MATERIALIZED (
    -- They stay locked until the transaction ends, so that a person who maps a workplace meanwhile waits and
    -- then moves these people as well.
    SELECT n.name, w.id, w.institution_id
    FROM named n
    JOIN workplaces w ON w.name_key = n.key
    WHERE NOT EXISTS (SELECT FROM unknown)
    ORDER BY w.id
    FOR SHARE OF w
), met AS MATERIALIZED (
    -- The list is looked into person by person (LATERAL with OFFSET, which is not taken apart), because a
    -- join may be planned over all of it.
    SELECT s.*, p.id AS workplace_id, p.institution_id, e.id,
           e.left_run_id IS NOT NULL AS gone, l.employee_id IS NOT NULL AS listed, coalesce(l.missed_runs > 0, false) AS again,
           e.id IS NOT NULL AND
           (e.name, e.gender, e.date_of_birth, e.place_of_birth, e.region, e.country_of_birth,
            e.phone_number, e.contact_address, e.zssf_number, e.payroll_number, e.cadre,
            e.salary_scale, e.ministry, e.department, e.appointment_type, e.contract_type,
            e.recent_title_date, e.current_reporting_office, e.current_workplace, e.employment_date,
            e.confirmation_date, e.retirement_date, e.highest_education, e.status)
        IS DISTINCT FROM
           (s.name, s.gender, s.date_of_birth, s.place_of_birth, s.region, s.country_of_birth,
            s.phone_number, s.contact_address, s.zssf_number, s.payroll_number, s.cadre,
            s.salary_scale, s.ministry, s.department, s.appointment_type, s.contract_type,
            s.recent_title_date, s.current_reporting_office, s.current_workplace, s.employment_date,
            s.confirmation_date, s.retirement_date, s.highest_education, s.status) AS differs
    FROM staged s
    LEFT JOIN places p ON p.name = s.current_workplace
    LEFT JOIN employees e ON e.zan_id = s.zan_id
    LEFT JOIN LATERAL (
        SELECT employee_id, missed_runs FROM listings
        WHERE institution_id = %(institution_id)s AND identifier_type = %(identifier_type)s
          AND employee_id = e.id
        OFFSET 0
    ) l ON true
    WHERE NOT EXISTS (SELECT FROM unknown)
), added AS (
    -- In key order, so that two runs that meet the same people wait for one another and never in a ring.
    INSERT INTO employees (zan_id, name, gender, date_of_birth, place_of_birth, region,
        country_of_birth, phone_number, contact_address, zssf_number, payroll_number, cadre,
        salary_scale, ministry, department, appointment_type, contract_type, recent_title_date,
        current_reporting_office, current_workplace, employment_date, confirmation_date,
        retirement_date, highest_education, status, workplace_id, institution_id,
        first_run_id, last_changed_run_id)
    SELECT m.zan_id, m.name, m.gender, m.date_of_birth, m.place_of_birth, m.region,
        m.country_of_birth, m.phone_number, m.contact_address, m.zssf_number, m.payroll_number, m.cadre,
        m.salary_scale, m.ministry, m.department, m.appointment_type, m.contract_type,
        m.recent_title_date, m.current_reporting_office, m.current_workplace, m.employment_date,
        m.confirmation_date, m.retirement_date, m.highest_education, m.status, m.workplace_id,
        m.institution_id, %(run_id)s, %(run_id)s
    FROM met m WHERE m.id IS NULL
    ORDER BY m.zan_id
    ON CONFLICT (zan_id) DO NOTHING
    RETURNING id, zan_id
), everybody AS MATERIALIZED (
    -- A row when nobody is still unseen; until then whoever is locked could be locked out of order.
    SELECT WHERE (SELECT count(*) FROM added) = (SELECT count(*) FROM met WHERE id IS NULL)
), differing AS MATERIALIZED (
    -- Whoever differs, or is a leaver and comes back, is locked, in key order and after everybody new was added,
    -- and told apart as they are after the lock; whoever does not is not touched, so that syncing again what has
    -- not changed writes no employee.
    SELECT m.*, to_jsonb(e) AS before, to_jsonb(m) AS after
    FROM met m
    JOIN employees e ON e.id = m.id
    WHERE (m.differs OR m.gone) AND EXISTS (SELECT FROM everybody)
    ORDER BY e.zan_id
    FOR NO KEY UPDATE OF e
), changes AS MATERIALIZED (
    -- A text that differs only in white space or in the form of its characters was saved before texts were cleaned:
    -- it is rewritten, and is no change (decision 0020).
    SELECT d.*, c.changes
    FROM differing d
    CROSS JOIN LATERAL (
        SELECT count(*) AS fields, jsonb_object_agg(b.key, jsonb_build_array(b.value, a.value))
            FILTER (WHERE clean_text(b.value #>> '{}') IS DISTINCT FROM clean_text(a.value #>> '{}')) AS changes
        FROM jsonb_each(d.before) b
        JOIN jsonb_each(d.after) a ON a.key = b.key
        WHERE b.value IS DISTINCT FROM a.value AND b.key NOT IN ('workplace_id', 'institution_id')
    ) c
    WHERE c.fields > 0
), told AS (
    INSERT INTO employee_changes (employee_id, run_id, changes)
    SELECT id, %(run_id)s, changes FROM changes WHERE changes IS NOT NULL
), changed AS (
    UPDATE employees e
    SET name = c.name, gender = c.gender, date_of_birth = c.date_of_birth,
        place_of_birth = c.place_of_birth, region = c.region, country_of_birth = c.country_of_birth,
        phone_number = c.phone_number, contact_address = c.contact_address,
        zssf_number = c.zssf_number, payroll_number = c.payroll_number, cadre = c.cadre,
        salary_scale = c.salary_scale, ministry = c.ministry, department = c.department,
        appointment_type = c.appointment_type, contract_type = c.contract_type,
        recent_title_date = c.recent_title_date,
        current_reporting_office = c.current_reporting_office,
        current_workplace = c.current_workplace, employment_date = c.employment_date,
        confirmation_date = c.confirmation_date, retirement_date = c.retirement_date,
        highest_education = c.highest_education, status = c.status,
        workplace_id = c.workplace_id, institution_id = c.institution_id,
        last_changed_run_id = CASE WHEN c.changes IS NULL THEN e.last_changed_run_id ELSE %(run_id)s END,
        updated_at = now()
    FROM changes c
    WHERE e.id = c.id
    RETURNING c.changes
), listed AS (
    INSERT INTO listings (institution_id, identifier_type, employee_id, since_run_id)
    SELECT %(institution_id)s, %(identifier_type)s, p.id, %(run_id)s
    FROM (SELECT id, zan_id FROM added
          UNION ALL
          SELECT id, zan_id FROM met WHERE id IS NOT NULL AND NOT listed) p
    WHERE %(institution_id)s::bigint IS NOT NULL AND EXISTS (SELECT FROM everybody)
    ORDER BY p.zan_id
    ON CONFLICT (institution_id, identifier_type, employee_id) DO NOTHING
    RETURNING employee_id
), people AS (
    SELECT max(id) AS id, max(position) AS position, bool_or(again) AS again
    FROM (SELECT zan_id, id, position, again FROM met
          UNION ALL
          SELECT zan_id, id, NULL, NULL FROM added) both_of_them
    GROUP BY zan_id
)
SELECT coalesce(array_agg(id ORDER BY position), '{}'), (SELECT count(*) FROM added),
       (SELECT count(changes) FROM changed), (SELECT count(*) FROM listed),
       (SELECT count(*) FROM met WHERE institution_id IS NULL),
       coalesce(array_agg(id) FILTER (WHERE again), '{}'), EXISTS (SELECT FROM unknown)
FROM people

-- name: add_workplaces
-- Names match by the register alone: exactly, or but for case, spaces and punctuation (name_key() is the one
-- definition), or by an alias that a person confirmed. Never by likeness. A name that the register lacks waits.
-- A workplace keeps the first spelling that was met, also that of a record which becomes a reject at the end of the
-- pass. All its spellings are one workplace, so nothing but the name that is shown depends on it. A workplace that
-- only such a record names stays, without people, as one does that everybody has left.
INSERT INTO workplaces (name, institution_id, matched_by)
SELECT DISTINCT ON (name_key(n.name)) n.name, i.id, CASE WHEN i.id IS NOT NULL THEN 'name' END
FROM unnest(%(names)s::text[]) AS n(name)
LEFT JOIN institutions i ON i.name_key = name_key(n.name)
ORDER BY name_key(n.name), n.name
ON CONFLICT (name_key) DO NOTHING

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
