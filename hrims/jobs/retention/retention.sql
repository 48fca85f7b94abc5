-- Deletes what is old, a little at a time. Each statement goes by an index of migration 0021 from the oldest on and stops
-- at what is not old enough.

-- name: alone
-- One worker at a time: others find it being done.
SELECT pg_try_advisory_xact_lock(hashtext('hrims retention'))

-- name: be_impatient
SELECT set_config('lock_timeout', '2s', true)

-- name: searches
-- What users searched for is personal data, and is kept for as long as they may come back to the results.
DELETE FROM people_searches WHERE token_hash IN (
    SELECT token_hash FROM people_searches WHERE expires_at <= now()
    ORDER BY expires_at LIMIT %(most)s FOR UPDATE SKIP LOCKED)

-- name: jobs_over
-- A job's numbers grow with time, so the lowest are the oldest; when one ended, its last event says.
DELETE FROM procrastinate_jobs WHERE id = ANY(ARRAY(
    SELECT j.id FROM (
        SELECT id FROM procrastinate_jobs WHERE status IN ('succeeded', 'cancelled', 'aborted')
        ORDER BY id LIMIT %(most)s FOR UPDATE SKIP LOCKED
    ) j
    WHERE NOT EXISTS (
        SELECT FROM procrastinate_events e
        WHERE e.job_id = j.id AND e.at > now() - make_interval(hours => %(hours)s))))

-- name: jobs_failed
DELETE FROM procrastinate_jobs WHERE id = ANY(ARRAY(
    SELECT j.id FROM (
        SELECT id FROM procrastinate_jobs WHERE status = 'failed'
        ORDER BY id LIMIT %(most)s FOR UPDATE SKIP LOCKED
    ) j
    WHERE NOT EXISTS (
        SELECT FROM procrastinate_events e
        WHERE e.job_id = j.id AND e.at > now() - make_interval(days => %(days)s))))

-- name: mark
-- The run that ended first of those that are old enough: from now on nobody goes by its pages. A preview that may still
-- be applied is not touched, it has an age of its own.
UPDATE runs SET pruned_at = now(), pruning = true WHERE id = (
    SELECT id FROM runs
    WHERE finished_at < now() - make_interval(days => %(days)s) AND pruned_at IS NULL
      AND (kind <> 'preview' OR emptied_at IS NOT NULL)
    ORDER BY finished_at LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED)

-- name: find_marked
SELECT id FROM runs WHERE pruning ORDER BY id LIMIT 1

-- name: pages
-- The rejects of a page go with it.
DELETE FROM run_pages WHERE ctid = ANY(ARRAY(SELECT ctid FROM run_pages WHERE run_id = %(run)s LIMIT %(most)s))

-- name: persons
-- Of a case that is closed for so long, whose record it was. The case stays, with its masked ZanID.
UPDATE reject_cases SET name = NULL, payroll_number = NULL, workplace = NULL WHERE id = ANY(ARRAY(
    SELECT id FROM reject_cases
    WHERE has_person AND closed_at < now() - make_interval(days => %(days)s)
    ORDER BY closed_at LIMIT %(most)s FOR NO KEY UPDATE SKIP LOCKED))

-- name: attempts
UPDATE run_attempts SET log = '{}', log_left_out = 0, traceback = NULL
WHERE run_id = %(run)s AND (log <> '{}' OR traceback IS NOT NULL)

-- name: pruned
UPDATE runs SET pruning = false WHERE id = %(run)s
