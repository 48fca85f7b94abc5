-- Takes a job when its run may start; ends it or puts it back, but only for the worker that holds it
-- (FencedJobManager in queue.py). The rules of starting are in migrations 0014 and 0024.

-- name: take
SELECT * FROM take_run_job(%(queues)s::varchar[], %(worker_id)s)

-- name: next_start
-- None for a worker that takes nothing: it would look again at once, for as long as a run waits for its colleagues.
SELECT CASE WHEN may_ask(%(worker_id)s) THEN seconds_to_next_start(%(queues)s::varchar[]) END AS seconds

-- name: finish
WITH held AS MATERIALIZED (
    SELECT id FROM procrastinate_jobs
    WHERE id = %(job_id)s AND worker_id = %(worker_id)s AND status = 'doing' FOR UPDATE
)
SELECT procrastinate_finish_job_v1(id, %(status)s, %(delete_job)s) FROM held

-- name: retry
-- When, says the run itself, by the database's clock: at its next attempt, or at once. The run is held before its job,
-- as everywhere.
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
    held.id, coalesce((SELECT coalesce(next_try_at, now()) FROM run), %(retry_at)s), %(priority)s,
    coalesce((SELECT queue FROM run), %(queue)s), %(lock)s)
FROM held
