-- Enqueue, retry and cancel many runs together: a batch of ten thousand runs takes a handful of statements.

-- name: insert_batch
INSERT INTO batches (scope, identifier_type, page_size, priority, requested_by, requested_via, requester_id,
                     requester_token_id, request_id)
VALUES (%(scope)s, %(identifier_type)s, %(page_size)s, %(priority)s, %(requested_by)s, %(requested_via)s,
        %(requester_id)s, %(requester_token_id)s, %(request_id)s)
RETURNING id

-- name: find_selected
-- The selected institutions, each with the identifier of its run; null if it has none. "failed" selects the
-- institutions whose latest run of kind "sync" failed.
SELECT i.id, n.identifier_type, n.identifier
FROM institutions i
CROSS JOIN LATERAL (
    SELECT CASE WHEN %(identifier_type)s = 'tin' OR (%(identifier_type)s::text IS NULL AND i.vote_code IS NULL)
                THEN 'tin' ELSE 'votecode' END AS identifier_type
) t
CROSS JOIN LATERAL (
    SELECT t.identifier_type, CASE t.identifier_type WHEN 'tin' THEN i.tin ELSE i.vote_code END AS identifier
) n
WHERE in_scope(i.id, %(scope)s) AND CASE %(selection)s
    WHEN 'all' THEN true
    WHEN 'selection' THEN i.id = ANY(%(institutions)s)
    ELSE (SELECT r.state = 'failed' FROM runs r
          WHERE r.institution_id = i.id AND r.kind = 'sync' ORDER BY r.id DESC LIMIT 1)
END
ORDER BY i.id

-- name: insert_runs
-- One statement for all institutions. An institution with an unfinished run keeps that run: a unique index prevents a
-- second one, also against concurrent requests. Insert in the order of the institutions, so that two concurrent
-- batches can wait for each other but cannot deadlock.
WITH selected AS (
    SELECT institution_id, identifier_type, identifier,
           now() + %(spread)s * interval '1 minute'
               * ((row_number() OVER (ORDER BY institution_id) - 1)::float8 / count(*) OVER ()) AS not_before
    FROM unnest(%(ids)s::bigint[], %(types)s::text[], %(identifiers)s::text[])
        AS m(institution_id, identifier_type, identifier)
    WHERE identifier IS NOT NULL
), enqueued AS (
    INSERT INTO runs (kind, institution_id, identifier_type, identifier, page_size, priority, requested_by,
                      requested_via, requester_id, requester_token_id, request_id, attempts, attempt_pause, deadline_minutes,
                      deadline_at, pool, not_before, quiet_from, quiet_until, quiet_zone, traceparent)
    SELECT 'sync', i.id, m.identifier_type, m.identifier, %(page_size)s, %(priority)s, %(requested_by)s,
           %(requested_via)s, %(requester_id)s, %(requester_token_id)s, %(request_id)s, i.attempts, i.attempt_pause,
           i.deadline_minutes,
           coalesce(quiet_end(%(quiet_from)s, %(quiet_until)s, %(quiet_zone)s, m.not_before), m.not_before)
               + i.deadline_minutes * interval '1 minute',
           i.pool, nullif(m.not_before, now()),
           %(quiet_from)s, %(quiet_until)s, %(quiet_zone)s, %(traceparent)s
    FROM selected m JOIN institutions i ON i.id = m.institution_id
    -- Lock the institutions, so that none is moved to another pool meanwhile while its run keeps the old pool.
    ORDER BY i.id FOR SHARE OF i
    ON CONFLICT DO NOTHING
    RETURNING id, institution_id
), progress AS (
    INSERT INTO run_progress (run_id) SELECT id FROM enqueued ORDER BY id
)
SELECT id, institution_id FROM enqueued ORDER BY institution_id

-- name: enqueue_jobs
SELECT enqueue_runs(%(runs)s)

-- name: insert_members
-- Record the result for each institution, and the user as a requester of each run that the batch joins. A separate
-- statement after the insert, so that its snapshot includes the unfinished run that prevented one.
WITH members AS (
    INSERT INTO batch_members (batch_id, institution_id, run_id, joined, skipped)
    SELECT %(batch)s, m.institution_id, coalesce(a.run_id, u.id), a.run_id IS NULL AND u.id IS NOT NULL,
           CASE WHEN m.identifier IS NULL THEN 'no_identifier' WHEN coalesce(a.run_id, u.id) IS NULL THEN 'busy' END
    FROM unnest(%(ids)s::bigint[], %(identifiers)s::text[]) AS m(institution_id, identifier)
    LEFT JOIN unnest(%(enqueued)s::bigint[], %(runs)s::bigint[]) AS a(institution_id, run_id) USING (institution_id)
    LEFT JOIN LATERAL (
        SELECT r.id FROM runs r
        WHERE r.institution_id = m.institution_id AND r.state IN ('waiting', 'delayed', 'active') AND r.kind = 'sync'
          AND m.identifier IS NOT NULL
    ) u ON true
    ORDER BY m.institution_id
    RETURNING run_id, joined
)
INSERT INTO run_requesters (run_id, user_id)
SELECT run_id, %(requester_id)s::bigint FROM members WHERE joined AND %(requester_id)s::bigint IS NOT NULL
ORDER BY run_id
ON CONFLICT DO NOTHING

-- name: reopen
-- Reset the failed runs of a batch to a full set of attempts, except those whose institution has another unfinished
-- run.
UPDATE runs r
SET state = 'waiting', finished_at = NULL, failures = 0, rescues = 0, trouble = NULL, trouble_code = NULL,
    not_before = NULL, deadline_at = now() + r.deadline_minutes * interval '1 minute', pool = f.pool,
    requester_id = %(requester_id)s, requester_token_id = %(requester_token_id)s,
    requested_via = %(requested_via)s, request_id = %(request_id)s
FROM (
    SELECT r.id, i.pool FROM batch_members m JOIN runs r ON r.id = m.run_id
    JOIN institutions i ON i.id = r.institution_id
    WHERE m.batch_id = %(batch)s AND in_scope(m.institution_id, %(scope)s) AND r.state = 'failed'
      AND r.pruned_at IS NULL AND NOT EXISTS (
        SELECT FROM runs o WHERE o.institution_id = r.institution_id AND o.state IN ('waiting', 'delayed', 'active'))
    ORDER BY r.institution_id FOR NO KEY UPDATE OF r
) f
WHERE r.id = f.id
RETURNING r.id

-- name: cancel
-- Cancel the unfinished runs that the batch requested. What they saved stays.
WITH unfinished AS (
    SELECT r.id, r.queue_job_id FROM batch_members m JOIN runs r ON r.id = m.run_id
    WHERE m.batch_id = %(batch)s AND in_scope(m.institution_id, %(scope)s) AND NOT m.joined
      AND r.state IN ('waiting', 'delayed', 'active')
    ORDER BY r.id FOR NO KEY UPDATE OF r
), cancelled AS (
    UPDATE runs r SET state = 'cancelled', finished_at = now(), next_try_at = NULL
    FROM unfinished h WHERE r.id = h.id
), closed AS (
    UPDATE run_attempts a SET ended_at = clock_timestamp(), ended_as = 'cancelled'
    FROM unfinished h WHERE a.run_id = h.id AND a.ended_at IS NULL
)
SELECT id, queue_job_id FROM unfinished

-- name: cancel_jobs
SELECT procrastinate_cancel_job_v1(j, true, false) FROM unnest(%(jobs)s::bigint[]) AS j

-- name: find_total
-- The progress of a batch: members by state, saved people, and the values that the estimated end is computed from.
SELECT count(*) AS institutions, count(*) FILTER (WHERE m.skipped IS NOT NULL) AS skipped,
       count(*) FILTER (WHERE m.joined) AS joined,
       count(*) FILTER (WHERE r.state IN ('waiting', 'delayed')) AS waiting,
       count(*) FILTER (WHERE r.state = 'active') AS active,
       count(*) FILTER (WHERE r.state = 'completed' AND r.outcome <> 'incomplete') AS complete,
       count(*) FILTER (WHERE r.outcome = 'incomplete') AS incomplete,
       count(*) FILTER (WHERE r.state = 'failed') AS failed,
       count(*) FILTER (WHERE r.state = 'cancelled') AS cancelled,
       coalesce(sum(coalesce(r.people, p.saved)), 0) AS people,
       coalesce(sum(CASE
           WHEN r.finished_at IS NOT NULL THEN 1.0
           WHEN p.remote_total > 0 THEN least(0.99, (p.saved + p.rejected + p.repeated)::float8 / p.remote_total)
       END), 0)::float8 AS done,
       count(*) FILTER (WHERE NOT m.joined AND r.state IN ('waiting', 'delayed', 'active')) AS own_under_way,
       max(CASE WHEN r.state = 'active' AND p.remote_total > 0 AND p.saved > 0
                THEN now() + (now() - r.started_at) * (greatest(p.remote_total - p.saved, 0)::float8 / p.saved) END)
           AS slowest_end_at,
       min(r.started_at) FILTER (WHERE NOT m.joined) AS began_at,
       (SELECT expected_start(w.id) FROM batch_members wm JOIN runs w ON w.id = wm.run_id
        WHERE wm.batch_id = %(batch)s AND in_scope(wm.institution_id, %(scope)s) AND w.state = 'waiting'
        ORDER BY w.priority = 'low' DESC, w.priority = 'normal' DESC, w.queue_job_id DESC LIMIT 1)
       AS last_start_at, (SELECT paused_at IS NOT NULL FROM queue_settings) AS is_paused, now() AS now
FROM batch_members m
LEFT JOIN runs r ON r.id = m.run_id
LEFT JOIN run_progress p ON p.run_id = r.id
WHERE m.batch_id = %(batch)s AND in_scope(m.institution_id, %(scope)s)

-- name: list_members
-- Read the last results for the listed rows only, not for the whole batch.
SELECT m.institution_id, m.institution, m.run_id, m.joined, m.skipped, m.identifier_type, m.state, m.outcome,
       m.trouble, m.people, m.remote_total, l.last_run_id, l.last_outcome, l.last_people, l.last_finished_at
FROM (
    SELECT i.id AS institution_id, i.name AS institution, m.run_id, m.joined, m.skipped, b.identifier_type,
           r.state, r.outcome, r.trouble, coalesce(r.people, p.saved) AS people, p.remote_total,
           i.name_key
    FROM batch_members m
    JOIN batches b ON b.id = m.batch_id
    JOIN institutions i ON i.id = m.institution_id
    LEFT JOIN runs r ON r.id = m.run_id
    LEFT JOIN run_progress p ON p.run_id = r.id
    WHERE m.batch_id = %(batch)s AND in_scope(m.institution_id, %(scope)s) AND (%(state)s::text IS NULL OR CASE
        WHEN m.skipped IS NOT NULL THEN 'skipped'
        WHEN r.state = 'completed' THEN CASE r.outcome WHEN 'incomplete' THEN 'incomplete' ELSE 'complete' END
        WHEN r.state = 'delayed' THEN 'waiting'
        ELSE r.state END = %(state)s)
    ORDER BY i.name_key LIMIT %(limit)s OFFSET %(skip)s
) m
LEFT JOIN LATERAL last_completed(m.institution_id) l ON m.state IS DISTINCT FROM 'completed'
ORDER BY m.name_key
