-- Views for people who query.

CREATE VIEW runs_v AS
SELECT r.id AS job_id, i.name AS institution, r.institution_id, r.identifier_type, r.identifier,
       r.page_size, r.state, r.outcome, r.attempt, r.requested_by, r.requested_via,
       r.requested_at, r.started_at, r.finished_at, r.next_try_at,
       p.remote_total, p.pages AS pages_fetched, p.fetched AS total_fetched,
       coalesce(r.people, p.saved) AS employee_count, r.missing, coalesce(r.seen_twice, p.repeated) AS seen_twice,
       p.new, p.changed, p.unchanged, p.rejected, p.unmatched, r.trouble, r.trouble_code
FROM runs r
JOIN institutions i ON i.id = r.institution_id
JOIN run_progress p ON p.run_id = r.id;

CREATE VIEW jobs_v AS
SELECT j.id AS queue_job_id, r.id AS job_id, i.name AS institution, j.task_name AS task,
       j.queue_name AS queue, j.status::text AS status, j.priority, j.attempts, j.scheduled_at, j.worker_id,
       w.last_heartbeat AS worker_last_beat,
       (SELECT min(e.at) FROM procrastinate_events e WHERE e.job_id = j.id AND e.type = 'deferred') AS queued_at,
       (SELECT max(e.at) FROM procrastinate_events e WHERE e.job_id = j.id AND e.type = 'started') AS started_at
FROM procrastinate_jobs j
LEFT JOIN procrastinate_workers w ON w.id = j.worker_id
LEFT JOIN runs r ON r.queue_job_id = j.id
LEFT JOIN institutions i ON i.id = r.institution_id;

CREATE VIEW employees_v AS
SELECT e.zan_id, e.name, e.gender, e.date_of_birth, e.place_of_birth, e.region, e.country_of_birth,
       e.phone_number, e.contact_address, e.zssf_number, e.payroll_number, e.cadre, e.salary_scale,
       e.ministry, e.department, e.appointment_type, e.contract_type, e.recent_title_date,
       e.current_reporting_office, e.current_workplace, e.employment_date, e.confirmation_date,
       e.retirement_date, e.highest_education, e.status, i.name AS institution, e.institution_id,
       e.first_run_id AS first_job_id, e.last_changed_run_id AS last_changed_job_id,
       e.created_at, e.updated_at
FROM employees e
LEFT JOIN institutions i ON i.id = e.institution_id;
