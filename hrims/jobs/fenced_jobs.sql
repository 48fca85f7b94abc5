-- Takes a job if its run may start. Finishes or requeues it only for the worker to which it is assigned
-- (FencedJobManager in job_manager.py). The rules of starting are in migrations/0006_queue.sql and 0007_limits.sql.

-- name: fetch
SELECT * FROM fetch_run_job(%(queues)s::varchar[], %(worker_id)s)

-- name: next_start
-- NULL for a worker that may not start runs: while a run waits for other workers, it would poll again immediately.
SELECT CASE WHEN can_request_remote(%(worker_id)s) THEN seconds_to_next_start(%(queues)s::varchar[]) END AS seconds

-- name: finish
WITH held AS MATERIALIZED (
    SELECT id FROM procrastinate_jobs
    WHERE id = %(job_id)s AND worker_id = %(worker_id)s AND status = 'doing' FOR UPDATE
)
SELECT procrastinate_finish_job_v1(id, %(status)s, %(delete_job)s) FROM held

-- name: retry
-- The run has the time of its next attempt, by the clock of the database; without one the job is due immediately. Lock
-- the run before its job, as everywhere.
WITH run AS MATERIALIZED (
    SELECT next_try_at, queue_name(pool) AS queue FROM runs
    WHERE queue_job_id = %(job_id)s FOR SHARE
), held AS MATERIALIZED (
    SELECT id FROM procrastinate_jobs
    WHERE id = %(job_id)s AND worker_id = %(worker_id)s AND status = 'doing'
      AND (SELECT count(*) FROM run) >= 0
    FOR UPDATE
)
SELECT procrastinate_retry_job_v2(
    held.id, coalesce((SELECT coalesce(next_try_at, now()) FROM run), %(retry_at)s), %(priority)s,
    coalesce((SELECT queue FROM run), %(queue)s), %(lock)s)
FROM held
