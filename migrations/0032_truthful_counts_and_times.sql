-- The counts of drift go by name: a column that is added later moves no other count.
-- The columns filled and present stay for workers of the older version until a later migration drops them.
ALTER TABLE run_pages ADD COLUMN counts jsonb;
COMMENT ON COLUMN run_pages.counts IS
    'filled: people with each column; present: sampled records with each field. An absent name was not counted.';

-- Only the pages of runs that have not completed are summed again. The two lists are those of the older version.
WITH layout AS (
    SELECT regexp_split_to_array(btrim('
        zan_id name gender date_of_birth place_of_birth region country_of_birth phone_number contact_address
        zssf_number payroll_number cadre salary_scale ministry department appointment_type contract_type
        recent_title_date current_reporting_office current_workplace employment_date confirmation_date
        retirement_date highest_education status', E' \n'), '\s+') AS columns,
           regexp_split_to_array(btrim('
        personalInfo employmentHistories salaryInformation educationHistories contractDetails
        personalInfo.zanIdNumber personalInfo.payrollNumber personalInfo.zssfNumber personalInfo.firstName
        personalInfo.middleName personalInfo.lastName personalInfo.genderName personalInfo.birthDate
        personalInfo.placeOfBirth personalInfo.districtName personalInfo.birthRegionName personalInfo.regionName
        personalInfo.birthCountryName personalInfo.primaryPhone personalInfo.workPhone personalInfo.houseNumber
        personalInfo.street personalInfo.city personalInfo.employmentDate
        personalInfo.employmentConfirmationDate personalInfo.isEmployeeConfirmed employmentHistories.isCurrent
        employmentHistories.titlePrefixName employmentHistories.titleName employmentHistories.gradeName
        employmentHistories.entityName employmentHistories.parentEntityName employmentHistories.subEntityName
        employmentHistories.divisionName employmentHistories.appointmentTypeName
        employmentHistories.employeeStatusName employmentHistories.employmentStatusName
        employmentHistories.fromDate employmentHistories.toDate salaryInformation.isCurrent
        salaryInformation.salaryScaleName salaryInformation.basicSalary educationHistories.isEmploymentHighest
        educationHistories.educationLevel educationHistories.institution educationHistories.levelName
        educationHistories.institutionName educationHistories.yearCompleted contractDetails.isActive
        contractDetails.contractTypeName contractDetails.fromDate contractDetails.toDate', E' \n'), '\s+') AS fields
)
UPDATE run_pages p
SET counts = jsonb_strip_nulls(jsonb_build_object(
    'filled', (SELECT jsonb_object_agg(c.name, c.n) FROM unnest(l.columns, p.filled) AS c(name, n)),
    'present', CASE WHEN p.sampled > 0 THEN
        (SELECT jsonb_object_agg(c.name, c.n) FROM unnest(l.fields, p.present) AS c(name, n)) END))
FROM layout l, runs r
WHERE r.id = p.run_id AND r.state <> 'completed'
  AND cardinality(p.filled) = cardinality(l.columns) AND cardinality(p.present) = cardinality(l.fields);


-- The last result of an institution: its newest completed run of a whole listing. Whatever began after it and
-- failed, was cancelled or still waits does not hide it.
CREATE FUNCTION last_completed(institution bigint)
RETURNS TABLE (last_run_id bigint, last_outcome text, last_people integer, last_finished_at timestamptz)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT r.id, r.outcome, r.people, r.finished_at FROM runs r
    WHERE r.institution_id = institution AND r.state = 'completed' AND r.kind IN ('sync', 'apply')
    ORDER BY r.id DESC LIMIT 1;
END;

-- As in migration 0019, but that a paused queue foretells no time: it depends on the person who resumes it.
CREATE OR REPLACE FUNCTION start_of_run(run bigint) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    WITH served AS MATERIALIZED (
        SELECT DISTINCT w.pool FROM workers w WHERE w.ended_at IS NULL AND is_alive(w)
    ), queued AS MATERIALIZED (
        SELECT r.id AS run_id, -j.priority AS rank, j.id AS job_id, h.until AS held_until,
               greatest(coalesce(j.scheduled_at, '-infinity'), now(), h.until) AS due_at
        FROM runs r JOIN procrastinate_jobs j ON j.id = r.queue_job_id
        CROSS JOIN LATERAL (
            SELECT greatest(r.not_before, CASE WHEN r.quiet_from IS NOT NULL THEN quiet_ends(
                r.quiet_from, r.quiet_until, r.quiet_zone, greatest(j.scheduled_at, now())) END) AS until
        ) h
        WHERE r.state IN ('waiting', 'delayed') AND r.kind <> 'apply' AND j.status = 'todo'
          AND (r.id = run OR EXISTS (SELECT FROM served s WHERE s.pool IS NOT DISTINCT FROM r.pool))
    ), turn AS (
        SELECT due_at, held_until, start_of_place((
            SELECT count(*) FROM queued q
            WHERE (q.due_at, q.rank, q.job_id) <= (m.due_at, m.rank, m.job_id))) AS opens_at
        FROM queued m WHERE run_id = run
    )
    SELECT greatest(opens_at, due_at) FROM turn, queue_settings s
    WHERE s.paused_at IS NULL
      AND (opens_at > clock_timestamp() + interval '1 second' OR held_until > clock_timestamp())
$$;

-- As in migration 0024, with the same rule.
CREATE OR REPLACE VIEW queue_v AS
WITH under_way AS (
    SELECT r.id, r.state, r.pool, h.until AS held_until, j.id AS queue_job_id, j.worker_id, j.priority AS rank,
           greatest(coalesce(j.scheduled_at, '-infinity'), now(), h.until) AS due_at,
           r.state <> 'active' AND r.kind <> 'apply' AND j.status = 'todo' AS is_counted
    FROM runs r
    LEFT JOIN procrastinate_jobs j ON j.id = r.queue_job_id
    CROSS JOIN LATERAL (
        SELECT greatest(r.not_before, CASE WHEN r.quiet_from IS NOT NULL THEN quiet_ends(
            r.quiet_from, r.quiet_until, r.quiet_zone, greatest(j.scheduled_at, now())) END) AS until
    ) h
    WHERE r.state IN ('waiting', 'delayed', 'active')
), pools AS MATERIALIZED (
    -- Not by pool_is_served and pool_is_busy: a role that may read the view would have to be allowed to read runs too.
    SELECT p.pool, count(w.worker_id) > 0 AS is_served,
           coalesce(sum(w.capacity) FILTER (WHERE b.host IS NULL), 0) <= (
               SELECT count(*) FROM under_way a WHERE a.state = 'active' AND a.pool IS NOT DISTINCT FROM p.pool
           ) AS is_busy,
           CASE WHEN count(*) FILTER (WHERE w.address IS DISTINCT FROM '' AND b.host IS NULL) = 0
                THEN min(b.reason) END AS not_asked
    FROM (SELECT DISTINCT pool FROM under_way) p
    LEFT JOIN workers w ON w.ended_at IS NULL AND w.pool IS NOT DISTINCT FROM p.pool AND is_alive(w)
    LEFT JOIN remote_breakers b ON b.host = w.host AND b.address = w.address
    GROUP BY p.pool
), placed AS (
    -- A run of a pool without workers does not delay the runs of other pools.
    SELECT u.*, p.is_served, p.is_busy, p.not_asked,
           row_number() OVER (ORDER BY u.state = 'active' DESC, u.due_at, u.rank DESC, u.queue_job_id) AS place,
           CASE WHEN u.is_counted THEN start_of_place(
               count(*) FILTER (WHERE u.is_counted AND p.is_served)
                   OVER (ORDER BY u.due_at, u.rank DESC, u.queue_job_id)
               + CASE WHEN p.is_served THEN 0 ELSE 1 END)
           END AS opens_at
    FROM under_way u
    JOIN pools p ON p.pool IS NOT DISTINCT FROM u.pool
), timed AS (
    SELECT p.*, CASE WHEN s.paused_at IS NULL
                      AND (p.opens_at > clock_timestamp() + interval '1 second'
                           OR p.is_counted AND p.held_until > clock_timestamp())
                     THEN greatest(p.opens_at, p.due_at) END AS starts_at
    FROM placed p
    CROSS JOIN queue_settings s
)
SELECT t.place, r.id AS job_id, i.name AS institution, r.institution_id, r.kind, r.state, r.priority, r.attempt,
       r.requested_by, r.requested_at, r.next_try_at, t.starts_at,
       CASE
           WHEN r.state = 'active' THEN NULL
           WHEN r.state = 'waiting' AND NOT t.is_served
               THEN 'No worker is running' || coalesce(' for the pool ' || r.pool, '')
           WHEN q.paused_at IS NOT NULL THEN q.paused_by || ' has paused the queue: ' || q.paused_why
           WHEN r.state = 'delayed' THEN 'Attempt ' || r.attempt || ' failed: ' || r.trouble
           WHEN t.not_asked IS NOT NULL AND r.kind <> 'apply' THEN 'HRIMS is not asked just now: ' || t.not_asked
           WHEN t.due_at > now() THEN 'It is not due yet'
           WHEN t.starts_at IS NOT NULL
               THEN 'Its turn has not come: starts in any minute: '
                    || coalesce(q.starts_by_person, q.starts_by_environment)
           WHEN t.is_busy THEN 'The workers carry out as many runs as they can at once'
           ELSE 'No worker has taken it yet'
       END AS why,
       t.queue_job_id, t.worker_id, r.pool
FROM timed t
JOIN runs r ON r.id = t.id
LEFT JOIN institutions i ON i.id = r.institution_id
CROSS JOIN queue_settings q
ORDER BY t.place;
