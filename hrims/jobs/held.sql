-- Takes a job when its run may start; ends it or puts it back, but only for the worker that holds it
-- (FencedJobManager in queue.py). The rules of starting are in migration 0014.

-- name: take
-- None while it cannot ask HRIMS and others of its pool can: each run that it took would have to be given back.
WITH taken AS MATERIALIZED (
    SELECT CASE WHEN NOT leaves_to_others(%(worker_id)s) THEN
        take_run_job(%(queues)s::varchar[], %(worker_id)s) END AS job
)
SELECT (job).* FROM taken

-- name: next_start
SELECT seconds_to_next_start(%(queues)s::varchar[]) AS seconds

-- name: finish
WITH held AS MATERIALIZED (
    SELECT id FROM procrastinate_jobs
    WHERE id = %(job_id)s AND worker_id = %(worker_id)s AND status = 'doing' FOR UPDATE
)
SELECT procrastinate_finish_job_v1(id, %(status)s, %(delete_job)s) FROM held

-- name: retry
-- When, says the run itself: HRIMS may have come back since its attempt ended. The run is held before its job,
-- as everywhere, or whoever closes the breaker just now sees the job too early and the job the run.
WITH run AS MATERIALIZED (
    SELECT next_try_at, 'sync' || coalesce('.' || pool, '') AS queue FROM runs
    WHERE queue_job_id = %(job_id)s FOR SHARE
), held AS MATERIALIZED (
    SELECT id FROM procrastinate_jobs
    WHERE id = %(job_id)s AND worker_id = %(worker_id)s AND status = 'doing'
      AND (SELECT count(*) FROM run) >= 0
    FOR UPDATE
)
SELECT procrastinate_retry_job_v2(
    held.id, coalesce((SELECT next_try_at FROM run), %(retry_at)s), %(priority)s,
    coalesce((SELECT queue FROM run), %(queue)s), %(lock)s)
FROM held
