-- Takes jobs from dead workers, and resets runs whose job ended before they did. A job is stalled if its worker is dead
-- by is_worker_alive (migrations/0006_queue.sql), which all other code uses too. Lock the run FOR NO KEY UPDATE
-- before its job, as everywhere, so that a cancel and a rescue cannot deadlock.

-- name: find_stalled
SELECT j.id FROM procrastinate_jobs j
WHERE j.status = 'doing' AND NOT is_worker_alive(j.worker_id)
ORDER BY j.id

-- name: now
SELECT extract(epoch FROM now())::float8

-- name: set_lock_timeout
-- The lock's holder may have frozen after the check. Time out; the next check terminates its session.
SELECT set_config('lock_timeout', '5s', true)

-- name: role
SELECT current_setting('role')

-- name: be_login
-- A session belongs to the user who signed in, who may be another than the role of the application. Only that user can
-- see the state of these sessions and end them.
SET LOCAL ROLE NONE

-- name: be_role
SELECT set_config('role', %(role)s, true)

-- name: end_sessions
-- A worker that froze inside a transaction holds locks that its successor needs, and no timeout ends a COPY that waits
-- for its client. Find its sessions by the start of its process identifier (session_name in queue.py): a live worker in
-- another container may have the same host name and process id.
SELECT pg_terminate_backend(s.pid)
FROM procrastinate_jobs j
JOIN runs r ON r.queue_job_id = j.id
JOIN run_attempts a ON a.run_id = r.id AND a.ended_at IS NULL
JOIN workers w ON w.worker_id = j.worker_id
JOIN pg_stat_activity s ON starts_with(s.application_name, format('hrims worker %%s ', left(w.process, 12)))
WHERE j.id = %(job)s AND j.status = 'doing' AND NOT is_worker_alive(j.worker_id)
  AND s.datname = current_database() AND s.usename = current_user AND s.pid <> pg_backend_pid()

-- name: end_silent_sessions
-- A worker that froze before its attempt was saved is recognised by its session alone: the session of a worker is
-- inside a transaction and has waited too long for its client.
SELECT pg_terminate_backend(s.pid) FROM pg_stat_activity s
WHERE s.application_name LIKE 'hrims worker %%' AND s.xact_start IS NOT NULL AND s.wait_event = 'ClientRead'
  AND s.state_change < now() - make_interval(secs => %(silent)s)
  AND s.datname = current_database() AND s.usename = current_user AND s.pid <> pg_backend_pid()

-- name: lock_run
SELECT id, state, rescues FROM runs WHERE queue_job_id = %(job)s FOR NO KEY UPDATE

-- name: lock_job
-- Check again under the lock: meanwhile its worker may have finished it, or another rescuer requeued it.
SELECT j.task_name = 'sync.run' AS carries_out_a_run FROM procrastinate_jobs j
WHERE j.id = %(job)s AND j.status = 'doing' AND NOT is_worker_alive(j.worker_id)
FOR UPDATE OF j

-- name: find_orphans
-- Unfinished runs whose job has ended: the database was away when the worker saved how the attempt ended, or the worker
-- could not begin an attempt.
SELECT r.id FROM runs r
WHERE r.state IN ('waiting', 'delayed', 'active') AND NOT EXISTS (
    SELECT FROM procrastinate_jobs j WHERE j.id = r.queue_job_id AND j.status IN ('todo', 'doing'))
ORDER BY r.id

-- name: lock_orphan
SELECT FROM runs WHERE id = %(run)s FOR NO KEY UPDATE

-- name: find_orphan
-- A separate statement after the lock, so that its snapshot includes a job enqueued by another rescuer.
SELECT r.rescues FROM runs r
WHERE r.id = %(run)s AND r.state IN ('waiting', 'delayed', 'active') AND NOT EXISTS (
    SELECT FROM procrastinate_jobs j WHERE j.id = r.queue_job_id AND j.status IN ('todo', 'doing'))

-- name: fail_run
UPDATE runs SET state = 'failed', finished_at = now(), next_try_at = NULL, trouble = %(message)s,
                trouble_code = 'worker_died'
WHERE id = %(run)s

-- name: requeue_run
UPDATE runs SET state = 'waiting', rescues = rescues + 1, next_try_at = NULL
WHERE id = %(run)s

-- name: end_job
SELECT procrastinate_finish_job_v1(%(job)s, 'failed', false)

-- name: requeue_job
-- Requeue to the queue of the run's pool, which may have changed meanwhile.
SELECT procrastinate_retry_job_v2(%(job)s, now(), NULL, (
    SELECT queue_name(pool) FROM runs WHERE queue_job_id = %(job)s), NULL)

-- name: find_overdue
SELECT id FROM runs
WHERE state IN ('waiting', 'delayed') AND deadline_at < now() ORDER BY deadline_at

-- name: fail_overdue
-- If a worker takes the job at the same time, it finds that the run has ended and begins no attempt.
UPDATE runs SET state = 'failed', finished_at = now(), next_try_at = NULL,
    trouble = format('It was not done in the %%s %%s that it had.', deadline_minutes,
                     CASE deadline_minutes WHEN 1 THEN 'minute' ELSE 'minutes' END),
    trouble_code = 'deadline'
WHERE id = %(run)s AND state IN ('waiting', 'delayed') AND deadline_at < now()
RETURNING queue_job_id

-- name: cancel_job
SELECT procrastinate_cancel_job_v1(%(job)s, false, false)
