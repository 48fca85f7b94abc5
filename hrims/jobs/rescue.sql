-- Takes a job from a worker that died. A job is stalled when its worker is gone from the list or has
-- been silent for too long. The run is locked before its job, as everywhere, so that a cancel and a
-- rescue cannot wait for one another.

-- name: find_stalled
SELECT j.id FROM procrastinate_jobs j
LEFT JOIN procrastinate_workers w ON w.id = j.worker_id
WHERE j.status = 'doing'
  AND (w.id IS NULL OR w.last_heartbeat < now() - make_interval(secs => %(silent)s))
ORDER BY j.id

-- name: hold_run
SELECT id, state, rescues FROM runs WHERE queue_job_id = %(job)s FOR UPDATE

-- name: hold_job
-- Looked at again under the lock: meanwhile its worker may have ended it, or somebody rescued it.
SELECT j.id FROM procrastinate_jobs j
LEFT JOIN procrastinate_workers w ON w.id = j.worker_id
WHERE j.id = %(job)s AND j.status = 'doing'
  AND (w.id IS NULL OR w.last_heartbeat < now() - make_interval(secs => %(silent)s))
FOR UPDATE OF j

-- name: give_up
UPDATE runs SET state = 'failed', finished_at = now(), next_try_at = NULL, trouble = %(words)s,
                trouble_code = 'worker_died'
WHERE id = %(run)s

-- name: wait_again
UPDATE runs SET state = 'waiting', rescues = rescues + 1, next_try_at = NULL WHERE id = %(run)s

-- name: end_job
SELECT procrastinate_finish_job_v1(%(job)s, 'failed', false)

-- name: put_back
SELECT procrastinate_retry_job_v2(%(job)s, now(), NULL, NULL, NULL)
