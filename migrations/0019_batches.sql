-- Many runs asked for at once. A batch says which institutions were meant and what became of each: a run of its own, one
-- that was under way already, or none and why.

CREATE TABLE batches (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    wish text NOT NULL CHECK (wish IN ('all', 'failed', 'selection')),
    -- Null: by vote code, and by TIN where the register has no vote code.
    identifier_type text CHECK (identifier_type IN ('votecode', 'tin')),
    page_size integer NOT NULL CHECK (page_size BETWEEN 1 AND 500),
    priority text NOT NULL CHECK (priority IN ('urgent', 'normal', 'low')),
    requested_by text NOT NULL CHECK (requested_by <> ''),
    requested_via text NOT NULL CHECK (requested_via IN ('page', 'api', 'command', 'system')),
    requested_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE batch_members (
    batch_id bigint NOT NULL REFERENCES batches ON DELETE CASCADE,
    institution_id bigint NOT NULL REFERENCES institutions ON DELETE CASCADE,
    run_id bigint REFERENCES runs,
    -- The run was under way before, so it is not the batch's to cancel.
    joined boolean NOT NULL DEFAULT false,
    skipped text CHECK (skipped IN ('no_identifier', 'busy')),
    PRIMARY KEY (batch_id, institution_id),
    CONSTRAINT batch_members_have_a_run_or_none CHECK ((run_id IS NULL) = (skipped IS NOT NULL))
);
CREATE INDEX batch_members_run ON batch_members (run_id);

-- Which runs may not start before some time, and not in some hours of the day.
ALTER TABLE runs
    ADD COLUMN not_before timestamptz,
    ADD COLUMN quiet_from time,
    ADD COLUMN quiet_until time,
    ADD COLUMN quiet_zone text,
    ADD CONSTRAINT runs_quiet_hours CHECK (
        (quiet_from IS NULL) = (quiet_until IS NULL) AND (quiet_from IS NULL) = (quiet_zone IS NULL)
        AND quiet_from <> quiet_until);

-- Until when it is quiet: null when it is not. The hours may reach over midnight.
CREATE FUNCTION quiet_ends(opens time, closes time, zone text, at timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN opens < closes AND l.clock >= opens AND l.clock < closes THEN (l.day + closes) AT TIME ZONE zone
        WHEN opens > closes AND l.clock >= opens THEN (l.day + 1 + closes) AT TIME ZONE zone
        WHEN opens > closes AND l.clock < closes THEN (l.day + closes) AT TIME ZONE zone
    END
    FROM (SELECT (at AT TIME ZONE zone)::date AS day, (at AT TIME ZONE zone)::time AS clock) l
$$;

-- The quiet hours of runs under way that it is in just now: worked out once each, however many runs share them.
CREATE INDEX runs_quiet ON runs (quiet_from, quiet_until, quiet_zone)
    WHERE quiet_from IS NOT NULL AND state IN ('waiting', 'delayed', 'active');
CREATE VIEW quiet_now AS
SELECT w.* FROM (
    SELECT d.*, quiet_ends(d.quiet_from, d.quiet_until, d.quiet_zone, now()) AS ends_at
    FROM (SELECT DISTINCT quiet_from, quiet_until, quiet_zone FROM runs
          WHERE quiet_from IS NOT NULL AND state IN ('waiting', 'delayed', 'active') OFFSET 0) d
    OFFSET 0
) w WHERE w.ends_at IS NOT NULL;

-- Queues jobs for many runs at once, in the order given, as job_of() in hrims/jobs/queue.py does for one.
CREATE FUNCTION queue_runs(run_ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    job_ids bigint[];
BEGIN
    SELECT procrastinate_defer_jobs_v1(array_agg(ROW(
        'sync' || coalesce('.' || r.pool, ''), 'sync.run',
        CASE r.priority WHEN 'urgent' THEN 10 WHEN 'low' THEN -10 ELSE 0 END,
        NULL, 'run:' || r.id, jsonb_build_object('run_id', r.id), r.not_before
    )::procrastinate_job_to_defer_v1 ORDER BY o.place))
    INTO job_ids
    FROM unnest(run_ids) WITH ORDINALITY AS o(id, place) JOIN runs r ON r.id = o.id;
    UPDATE runs r SET queue_job_id = j.id
    FROM procrastinate_jobs j WHERE j.id = ANY (job_ids) AND r.id = (j.args ->> 'run_id')::bigint;
END $$;

-- As in migration 0014, but that a run waits in its quiet hours.
CREATE OR REPLACE FUNCTION take_run_job(queues character varying[], worker bigint) RETURNS procrastinate_jobs
LANGUAGE plpgsql AS $$
DECLARE
    taken procrastinate_jobs;
    is_open boolean;
BEGIN
    IF NOT EXISTS (
        SELECT FROM procrastinate_jobs j
        WHERE j.status = 'todo' AND (queues IS NULL OR j.queue_name = ANY (queues))
          AND (j.scheduled_at IS NULL OR j.scheduled_at <= now()))
    THEN
        RETURN NULL;
    END IF;
    -- One start at a time over all workers: what is counted now is still so when this one is written.
    PERFORM pg_advisory_xact_lock(hashtext('hrims starts'));
    is_open := start_of_place(1) <= clock_timestamp();
    WITH quiet AS MATERIALIZED (
        SELECT * FROM quiet_now
    ), next AS (
        SELECT j.id
        FROM procrastinate_jobs j
        LEFT JOIN runs r ON r.queue_job_id = j.id
        WHERE j.status = 'todo' AND (queues IS NULL OR j.queue_name = ANY (queues))
          AND (j.scheduled_at IS NULL OR j.scheduled_at <= now())
          AND (r.id IS NULL
               OR (is_open OR r.kind = 'apply') AND (SELECT paused_at IS NULL FROM queue_settings)
                  AND NOT EXISTS (
                      SELECT FROM quiet q
                      WHERE (q.quiet_from, q.quiet_until, q.quiet_zone)
                          = (r.quiet_from, r.quiet_until, r.quiet_zone)))
        ORDER BY j.priority DESC, j.id
        LIMIT 1
        FOR UPDATE OF j SKIP LOCKED
    )
    UPDATE procrastinate_jobs j SET status = 'doing', worker_id = worker
    FROM next WHERE j.id = next.id
    RETURNING j.* INTO taken;
    IF taken.id IS NOT NULL THEN
        INSERT INTO run_starts (run_id, at)
        SELECT id, clock_timestamp() FROM runs WHERE queue_job_id = taken.id AND kind <> 'apply';
        DELETE FROM run_starts WHERE at < now() - interval '1 hour';
    END IF;
    RETURN taken;
END $$;

CREATE OR REPLACE FUNCTION seconds_to_next_start(queues character varying[]) RETURNS double precision
LANGUAGE sql STABLE AS $$
    WITH quiet AS MATERIALIZED (
        SELECT * FROM quiet_now
    )
    SELECT extract(epoch FROM start_of_place(1) - clock_timestamp())::float8
    FROM queue_settings q
    WHERE q.paused_at IS NULL AND EXISTS (
        SELECT FROM runs r JOIN procrastinate_jobs j ON j.id = r.queue_job_id
        WHERE r.state IN ('waiting', 'delayed', 'active') AND r.kind <> 'apply' AND j.status = 'todo'
          AND (queues IS NULL OR j.queue_name = ANY (queues))
          AND (j.scheduled_at IS NULL OR j.scheduled_at <= now())
          AND NOT EXISTS (
              SELECT FROM quiet q
              WHERE (q.quiet_from, q.quiet_until, q.quiet_zone) = (r.quiet_from, r.quiet_until, r.quiet_zone)))
$$;

-- As in migration 0018, but that a run is due after its quiet hours, and that what is not due before some time says
-- when it is.
CREATE OR REPLACE FUNCTION start_of_run(run bigint) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    WITH served AS MATERIALIZED (
        SELECT DISTINCT w.pool FROM workers w WHERE w.ended_at IS NULL AND is_alive(w)
    ), queued AS MATERIALIZED (
        SELECT r.id AS run_id, -j.priority AS rank, j.id AS job_id, h.until AS held_until,
               greatest(coalesce(j.scheduled_at, '-infinity'), now(), h.until) AS due_at
        FROM runs r JOIN procrastinate_jobs j ON j.id = r.queue_job_id
        CROSS JOIN LATERAL (
            SELECT greatest(r.not_before, CASE WHEN r.quiet_from IS NOT NULL THEN quiet_ends(
                r.quiet_from, r.quiet_until, r.quiet_zone, greatest(j.scheduled_at, now())) END) AS until
        ) h
        WHERE r.state IN ('waiting', 'delayed') AND r.kind <> 'apply' AND j.status = 'todo'
          AND (r.id = run OR EXISTS (SELECT FROM served s WHERE s.pool IS NOT DISTINCT FROM r.pool))
    ), turn AS (
        SELECT due_at, held_until, start_of_place((
            SELECT count(*) FROM queued q
            WHERE (q.due_at, q.rank, q.job_id) <= (m.due_at, m.rank, m.job_id))) AS opens_at
        FROM queued m WHERE run_id = run
    )
    SELECT greatest(opens_at, due_at) FROM turn
    WHERE opens_at > clock_timestamp() + interval '1 second' OR held_until > clock_timestamp()
$$;

-- Batches as people query them.
CREATE VIEW batches_v AS
SELECT b.id AS batch_id, b.wish, b.requested_by, b.requested_via, b.requested_at, count(*) AS institutions,
       count(*) FILTER (WHERE m.skipped IS NOT NULL) AS skipped, count(*) FILTER (WHERE m.joined) AS joined,
       count(*) FILTER (WHERE r.state IN ('waiting', 'delayed')) AS waiting,
       count(*) FILTER (WHERE r.state = 'active') AS active,
       count(*) FILTER (WHERE r.state = 'completed' AND r.outcome <> 'incomplete') AS complete,
       count(*) FILTER (WHERE r.outcome = 'incomplete') AS incomplete,
       count(*) FILTER (WHERE r.state = 'failed') AS failed,
       count(*) FILTER (WHERE r.state = 'cancelled') AS cancelled,
       CASE WHEN count(*) FILTER (WHERE r.state IN ('waiting', 'delayed', 'active')) = 0
            THEN max(r.finished_at) END AS finished_at
FROM batches b
JOIN batch_members m ON m.batch_id = b.id
LEFT JOIN runs r ON r.id = m.run_id
GROUP BY b.id;
