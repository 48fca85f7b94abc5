-- Deletes expired data in small batches. Each statement scans an index (jobs_ended, jobs_failed, runs_to_prune,
-- runs_pruning) from the oldest row on and stops at the first that is not old enough.

-- name: try_lock
-- One worker deletes rows of a kind at a time. The others skip the batch.
SELECT pg_try_advisory_xact_lock(hashtext('hrims cleaner'), hashtext(%(kind)s))

-- name: set_lock_timeout
SELECT set_config('lock_timeout', '2s', true)

-- name: delete_searches
-- Search terms are personal data. They are kept only while users may return to the results.
DELETE FROM people_searches WHERE token_hash IN (
    SELECT token_hash FROM people_searches WHERE expires_at <= now()
    ORDER BY expires_at LIMIT %(batch_size)s FOR UPDATE SKIP LOCKED)

-- name: delete_ended_jobs
-- Job ids grow with time, so the lowest ids are the oldest jobs. The last event of a job has the time of its end.
DELETE FROM procrastinate_jobs WHERE id = ANY(ARRAY(
    SELECT j.id FROM (
        SELECT id FROM procrastinate_jobs WHERE status IN ('succeeded', 'cancelled', 'aborted')
        ORDER BY id LIMIT %(batch_size)s FOR UPDATE SKIP LOCKED
    ) j
    WHERE NOT EXISTS (
        SELECT FROM procrastinate_events e
        WHERE e.job_id = j.id AND e.at > now() - make_interval(hours => %(hours)s))))

-- name: delete_failed_jobs
DELETE FROM procrastinate_jobs WHERE id = ANY(ARRAY(
    SELECT j.id FROM (
        SELECT id FROM procrastinate_jobs WHERE status = 'failed'
        ORDER BY id LIMIT %(batch_size)s FOR UPDATE SKIP LOCKED
    ) j
    WHERE NOT EXISTS (
        SELECT FROM procrastinate_events e
        WHERE e.job_id = j.id AND e.at > now() - make_interval(days => %(days)s))))

-- name: mark_expired_run
-- Mark the expired run that ended first. From now on its pages are not used. Skip a preview that can still be applied:
-- it has a retention period of its own.
UPDATE runs SET pruned_at = now(), pruning = true WHERE id = (
    SELECT id FROM runs
    WHERE finished_at < now() - make_interval(days => %(days)s) AND pruned_at IS NULL
      AND (kind <> 'preview' OR emptied_at IS NOT NULL)
    ORDER BY finished_at LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED)

-- name: find_marked
SELECT id FROM runs WHERE pruning ORDER BY id LIMIT 1

-- name: delete_pages
-- Deleting a page also deletes its rejects.
DELETE FROM run_pages WHERE ctid = ANY(ARRAY(SELECT ctid FROM run_pages WHERE run_id = %(run)s LIMIT %(batch_size)s))

-- name: erase_reject_people
-- Erase the personal data of cases that were closed so many days ago. The case stays, with its masked ZanID.
UPDATE reject_cases SET name = NULL, payroll_number = NULL, workplace = NULL WHERE id = ANY(ARRAY(
    SELECT id FROM reject_cases
    WHERE has_person AND closed_at < now() - make_interval(days => %(days)s)
    ORDER BY closed_at LIMIT %(batch_size)s FOR NO KEY UPDATE SKIP LOCKED))

-- name: erase_attempt_logs
UPDATE run_attempts SET log = '{}', log_left_out = 0, traceback = NULL
WHERE run_id = %(run)s AND (log <> '{}' OR traceback IS NOT NULL)

-- name: unmark_run
UPDATE runs SET pruning = false WHERE id = %(run)s
