-- Views for users and programs that query the database. Their names end in _v, and their columns stay.

-- The runs. If HRIMS lists more employees than its total says, missing is 0 and surplus is the difference.
-- The column partial says that a failed or cancelled run has saved employees.
CREATE VIEW runs_v AS
SELECT r.id AS job_id, i.name AS institution, r.institution_id, r.identifier_type,
       CASE WHEN r.kind = 'person' THEN masked_key(r.identifier) ELSE r.identifier END AS identifier,
       r.page_size, r.state, r.outcome, r.attempt, r.requested_by, r.requested_via,
       r.requested_at, r.started_at, r.finished_at, r.next_try_at,
       p.remote_total, p.pages AS pages_fetched, p.fetched AS total_fetched,
       coalesce(r.people, greatest(p.saved, p.saved_before)) AS employee_count,
       CASE WHEN r.missing < 0 THEN 0 ELSE r.missing END AS missing,
       coalesce(r.seen_twice, p.repeated) AS seen_twice,
       p.new, p.changed, p.unchanged, p.rejected, p.unmatched, r.trouble, r.trouble_code, r.kind,
       p.leavers, p.leavers_waiting,
       CASE WHEN r.missing < 0 THEN -r.missing WHEN r.missing >= 0 THEN 0 END AS surplus,
       r.state IN ('failed', 'cancelled') AND r.kind <> 'preview' AND greatest(p.saved, p.saved_before) > 0 AS partial,
       greatest(r.last_complete_people - r.people, 0) AS fewer_than_last_complete,
       CASE WHEN r.state = 'completed' THEN p.repeated END AS listed_twice,
       r.fitted_page_size, r.page_finding
FROM runs r
LEFT JOIN institutions i ON i.id = r.institution_id
JOIN run_progress p ON p.run_id = r.id;

-- The jobs of the queue.
CREATE VIEW jobs_v AS
SELECT j.id AS queue_job_id, r.id AS job_id, i.name AS institution, j.task_name AS task,
       j.queue_name AS queue, j.status::text AS status, j.priority, j.attempts, j.scheduled_at, j.worker_id,
       w.last_beat AS worker_last_beat,
       (SELECT min(e.at) FROM procrastinate_events e WHERE e.job_id = j.id AND e.type = 'deferred') AS queued_at,
       (SELECT max(e.at) FROM procrastinate_events e WHERE e.job_id = j.id AND e.type = 'started') AS started_at
FROM procrastinate_jobs j
LEFT JOIN workers w ON w.worker_id = j.worker_id
LEFT JOIN runs r ON r.queue_job_id = j.id
LEFT JOIN institutions i ON i.id = r.institution_id;

-- Every run that has not ended, in the order of the page “Queue”, with the code of the reason why it waits (wait_code).
-- It counts all places at once. expected_start, called for each of many runs, would count them once for each run.
-- A test compares both.
CREATE VIEW queue_v AS
WITH under_way AS (
    SELECT r.id, r.state, r.pool, h.until AS held_until, j.id AS queue_job_id, j.worker_id, j.priority AS rank,
           greatest(coalesce(j.scheduled_at, '-infinity'), now(), h.until) AS due_at,
           r.state <> 'active' AND r.kind <> 'apply' AND j.status = 'todo' AS is_counted
    FROM runs r
    LEFT JOIN procrastinate_jobs j ON j.id = r.queue_job_id
    CROSS JOIN LATERAL (
        SELECT greatest(r.not_before, CASE WHEN r.quiet_from IS NOT NULL THEN quiet_end(
            r.quiet_from, r.quiet_until, r.quiet_zone, greatest(j.scheduled_at, now())) END) AS until
    ) h
    WHERE r.state IN ('waiting', 'delayed', 'active')
), pools AS MATERIALIZED (
    -- pool_is_served and pool_is_busy would need the right to read runs, which a reader of the view may lack.
    SELECT p.pool, count(w.worker_id) > 0 AS is_served,
           count(w.worker_id) FILTER (WHERE w.address IS DISTINCT FROM '') > 0 AS has_address,
           coalesce(sum(w.capacity) FILTER (WHERE w.address IS DISTINCT FROM '' AND b.host IS NULL), 0) <= (
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
    SELECT u.*, p.is_served, p.has_address, p.is_busy, p.not_asked,
           row_number() OVER (ORDER BY u.state = 'active' DESC, u.due_at, u.rank DESC, u.queue_job_id) AS place,
           CASE WHEN u.is_counted THEN earliest_start(
               count(*) FILTER (WHERE u.is_counted AND p.is_served)
                   OVER (ORDER BY u.due_at, u.rank DESC, u.queue_job_id)
               + CASE WHEN p.is_served THEN 0 ELSE 1 END)
           END AS opens_at
    FROM under_way u
    JOIN pools p ON p.pool IS NOT DISTINCT FROM u.pool
), timed AS (
    -- A paused queue has no times, as in expected_start.
    SELECT p.*, CASE WHEN s.paused_at IS NULL
                      AND (p.opens_at > clock_timestamp() + interval '1 second'
                           OR p.is_counted AND p.held_until > clock_timestamp())
                     THEN greatest(p.opens_at, p.due_at) END AS starts_at
    FROM placed p
    CROSS JOIN queue_settings s
)
SELECT t.place, r.id AS job_id, i.name AS institution, r.institution_id, r.kind, r.state, r.priority, r.attempt,
       r.requested_by, r.requested_at, r.next_try_at, t.starts_at,
       wait_code(r, t.starts_at, q.paused_at IS NOT NULL, t.is_served, t.has_address, t.not_asked,
                 t.is_busy) AS why,
       t.queue_job_id, t.worker_id, r.pool
FROM timed t
JOIN runs r ON r.id = t.id
LEFT JOIN institutions i ON i.id = r.institution_id
CROSS JOIN queue_settings q
ORDER BY t.place;

-- The workers, whether each is alive, the runs it carries out, the address it asks, and why it does not ask.
CREATE VIEW workers_v AS
SELECT w.worker_id, w.host, w.pid, w.version, w.pool, w.capacity,
       is_alive(w) AS alive, w.began_at, w.last_beat, w.ended_at,
       array(SELECT r.id FROM procrastinate_jobs j JOIN runs r ON r.queue_job_id = j.id
             WHERE j.worker_id = w.worker_id AND j.status = 'doing' ORDER BY r.id) AS job_ids,
       w.address, coalesce(w.remote_problem, b.reason) AS not_asked
FROM workers w LEFT JOIN remote_breakers b ON b.host = w.host AND b.address = w.address;

CREATE VIEW batches_v AS
SELECT b.id AS batch_id, b.scope AS wish, b.requested_by, b.requested_via, b.requested_at, count(*) AS institutions,
       count(*) FILTER (WHERE m.skipped IS NOT NULL) AS skipped, count(*) FILTER (WHERE m.joined) AS joined,
       count(*) FILTER (WHERE r.state IN ('waiting', 'delayed')) AS waiting,
       count(*) FILTER (WHERE r.state = 'active') AS active,
       count(*) FILTER (WHERE r.state = 'completed' AND r.outcome <> 'incomplete') AS complete,
       count(*) FILTER (WHERE r.outcome = 'incomplete') AS incomplete,
       count(*) FILTER (WHERE r.state = 'failed') AS failed,
       count(*) FILTER (WHERE r.state = 'cancelled') AS cancelled,
       CASE WHEN count(*) FILTER (WHERE r.state IN ('waiting', 'delayed', 'active')) = 0
            THEN max(r.finished_at) END AS finished_at
FROM batches b
JOIN batch_members m ON m.batch_id = b.id
LEFT JOIN runs r ON r.id = m.run_id
GROUP BY b.id;

CREATE VIEW employees_v AS
SELECT e.zan_id, e.name, e.gender, e.date_of_birth, e.place_of_birth, e.region, e.country_of_birth,
       e.phone_number, e.contact_address, e.zssf_number, e.payroll_number, e.cadre, e.salary_scale,
       e.ministry, e.department, e.appointment_type, e.contract_type, e.recent_title_date,
       e.current_reporting_office, e.current_workplace, e.employment_date, e.confirmation_date,
       e.retirement_date, e.highest_education, e.status, i.name AS institution, e.institution_id,
       e.first_run_id AS first_job_id, e.last_changed_run_id AS last_changed_job_id,
       e.created_at, e.updated_at, e.left_at, e.left_run_id AS left_job_id
FROM employees e
LEFT JOIN institutions i ON i.id = e.institution_id;

-- The whole history of all employees, one row for each changed field or event.
CREATE VIEW changes_v AS
SELECT e.zan_id, e.name, f.key AS field, f.value ->> 0 AS old, f.value ->> 1 AS new, c.run_id AS job_id,
       coalesce(c.made_by, r.requested_by) AS requested_by, c.changed_at AS at, c.employee_id
FROM employee_changes c
JOIN employees e ON e.id = c.employee_id
CROSS JOIN LATERAL jsonb_each(c.changes) f
LEFT JOIN runs r ON r.id = c.run_id
UNION ALL
SELECT e.zan_id, e.name, 'presence', i.name, v.kind, v.run_id, coalesce(v.made_by, r.requested_by), v.at,
       v.employee_id
FROM employee_events v
JOIN employees e ON e.id = v.employee_id
JOIN institutions i ON i.id = v.institution_id
LEFT JOIN runs r ON r.id = v.run_id;

CREATE VIEW workplaces_v AS
SELECT w.id AS workplace_id, w.name AS workplace, i.name AS institution, w.institution_id, w.matched_by,
       w.mapped_by, w.mapped_at, w.created_at,
       (SELECT count(*) FROM employees e WHERE e.workplace_id = w.id) AS people
FROM workplaces w
LEFT JOIN institutions i ON i.id = w.institution_id;

CREATE VIEW rejects_v AS
SELECT c.id, i.name AS institution, c.institution_id, c.identifier_type, c.code, c.field, c.reason, c.masked,
       c.place + 1 AS record, c.page_size, c.page_number, c.position, c.times,
       c.first_run_id AS first_job_id, c.first_seen_at, c.last_run_id AS last_job_id, c.last_seen_at,
       CASE WHEN c.closed_at IS NULL THEN 'open' ELSE 'closed' END AS state,
       c.closed_at, c.closed_run_id AS closed_job_id, c.name, c.payroll_number, c.workplace
FROM reject_cases c
JOIN institutions i ON i.id = c.institution_id;

CREATE VIEW drift_v AS
SELECT d.run_id AS job_id, i.name AS institution, r.institution_id, r.identifier_type, r.finished_at,
       d.before_run_id AS before_job_id, c.change ->> 'kind' AS kind, c.change ->> 'field' AS field,
       (c.change ->> 'now')::float8 AS now, (c.change ->> 'before')::float8 AS before,
       c.change ->> 'message' AS message
FROM run_drift d
JOIN runs r ON r.id = d.run_id
JOIN institutions i ON i.id = r.institution_id
CROSS JOIN LATERAL jsonb_array_elements(d.changes) WITH ORDINALITY AS c(change, position);
