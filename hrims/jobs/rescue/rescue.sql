-- Takes a job from a worker that died, and a run from a job that ended without it. A job is stalled when its
-- worker does not live: worker_lives (migration 0027), by which all others judge too. The run is locked before its job, as
-- everywhere, so that a cancel and a rescue cannot wait for one another.

-- name: find_stalled
SELECT j.id FROM procrastinate_jobs j
WHERE j.status = 'doing' AND NOT worker_lives(j.worker_id)
ORDER BY j.id

-- name: now
SELECT extract(epoch FROM now())::float8

-- name: be_impatient
-- Whoever holds the run may freeze only now: the next look ends its session, if this one does not wait for ever.
SELECT set_config('lock_timeout', '5s', true)

-- name: end_sessions
-- A worker that is frozen in the middle of a transaction holds locks that its successor needs, and no
-- timeout ends a COPY that waits for its client. Its sessions bear the short form of its process (session_name in
-- queue.py): another container may have the same host name and process id, and live.
SELECT pg_terminate_backend(s.pid)
FROM procrastinate_jobs j
JOIN runs r ON r.queue_job_id = j.id
JOIN run_attempts a ON a.run_id = r.id AND a.ended_at IS NULL
JOIN workers w ON w.worker_id = j.worker_id
JOIN pg_stat_activity s ON starts_with(s.application_name, format('hrims worker %%s ', left(w.process, 12)))
WHERE j.id = %(job)s AND j.status = 'doing' AND NOT worker_lives(j.worker_id)
  AND s.datname = current_database() AND s.usename = current_user AND s.pid <> pg_backend_pid()

-- name: end_silent_sessions
-- A worker that froze before its attempt was written down is known by its silence alone: a session of some
-- worker stands in the middle of a transaction and has been waiting for its client for too long.
SELECT pg_terminate_backend(s.pid) FROM pg_stat_activity s
WHERE s.application_name LIKE 'hrims worker %%' AND s.xact_start IS NOT NULL AND s.wait_event = 'ClientRead'
  AND s.state_change < now() - make_interval(secs => %(silent)s)
  AND s.datname = current_database() AND s.usename = current_user AND s.pid <> pg_backend_pid()

-- name: hold_run
SELECT id, state, rescues FROM runs WHERE queue_job_id = %(job)s FOR NO KEY UPDATE

-- name: hold_job
-- Looked at again under the lock: meanwhile its worker may have ended it, or somebody rescued it.
SELECT j.task_name = 'sync.run' AS carries_out_a_run FROM procrastinate_jobs j
WHERE j.id = %(job)s AND j.status = 'doing' AND NOT worker_lives(j.worker_id)
FOR UPDATE OF j

-- name: find_orphans
-- Runs under way whose job has ended all the same: the database was away when its worker wrote how the attempt
-- ended, or the worker could not even begin one.
SELECT r.id FROM runs r
WHERE r.state IN ('waiting', 'delayed', 'active') AND NOT EXISTS (
    SELECT FROM procrastinate_jobs j WHERE j.id = r.queue_job_id AND j.status IN ('todo', 'doing'))
ORDER BY r.id

-- name: hold_orphan
SELECT FROM runs WHERE id = %(run)s FOR NO KEY UPDATE

-- name: look_again
-- A statement of its own, after the run is held: only so does it see the job that another rescuer gave it.
SELECT r.rescues FROM runs r
WHERE r.id = %(run)s AND r.state IN ('waiting', 'delayed', 'active') AND NOT EXISTS (
    SELECT FROM procrastinate_jobs j WHERE j.id = r.queue_job_id AND j.status IN ('todo', 'doing'))

-- name: give_up
UPDATE runs SET state = 'failed', finished_at = now(), next_try_at = NULL, trouble = %(words)s,
                trouble_code = 'worker_died'
WHERE id = %(run)s

-- name: wait_again
UPDATE runs SET state = 'waiting', rescues = rescues + 1, next_try_at = NULL
WHERE id = %(run)s

-- name: end_job
SELECT procrastinate_finish_job_v1(%(job)s, 'failed', false)

-- name: put_back
-- Into the queue of its run's pool, which may have changed since.
SELECT procrastinate_retry_job_v2(%(job)s, now(), NULL, (
    SELECT 'sync' || coalesce('.' || pool, '') FROM runs WHERE queue_job_id = %(job)s), NULL)

-- name: find_overdue
SELECT id FROM runs
WHERE state IN ('waiting', 'delayed') AND deadline_at < now() ORDER BY deadline_at

-- name: fail_overdue
-- A job that a worker takes just now finds the run ended, and begins nothing.
UPDATE runs SET state = 'failed', finished_at = now(), next_try_at = NULL,
    trouble = format('It was not done in the %%s %%s that it had.', deadline_minutes,
                     CASE deadline_minutes WHEN 1 THEN 'minute' ELSE 'minutes' END),
    trouble_code = 'deadline'
WHERE id = %(run)s AND state IN ('waiting', 'delayed') AND deadline_at < now()
RETURNING queue_job_id

-- name: cancel_job
SELECT procrastinate_cancel_job_v1(%(job)s, false, false)
