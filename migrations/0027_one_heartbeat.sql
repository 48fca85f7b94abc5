-- A worker process has one number and one heartbeat. Whether it lives is judged by workers.last_beat alone.
-- procrastinate_workers.last_heartbeat is a copy, written by the same statement for code of an older version.

-- Identifies the process over a restart of the worker inside it. Two containers may share host name and process id.
ALTER TABLE workers ADD COLUMN process text;

CREATE FUNCTION worker_lives(number bigint) RETURNS boolean LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM workers w WHERE w.worker_id = number AND is_alive(w));

-- As in migration 0006, with the heartbeat that all judge by.
CREATE OR REPLACE VIEW jobs_v AS
SELECT j.id AS queue_job_id, r.id AS job_id, i.name AS institution, j.task_name AS task,
       j.queue_name AS queue, j.status::text AS status, j.priority, j.attempts, j.scheduled_at, j.worker_id,
       w.last_beat AS worker_last_beat,
       (SELECT min(e.at) FROM procrastinate_events e WHERE e.job_id = j.id AND e.type = 'deferred') AS queued_at,
       (SELECT max(e.at) FROM procrastinate_events e WHERE e.job_id = j.id AND e.type = 'started') AS started_at
FROM procrastinate_jobs j
LEFT JOIN workers w ON w.worker_id = j.worker_id
LEFT JOIN runs r ON r.queue_job_id = j.id
LEFT JOIN institutions i ON i.id = r.institution_id;
