-- When runs may start: so many a minute over all workers, and none while the queue is paused. One row says how
-- many and why not; every start leaves a row by which the next is judged.

CREATE TABLE queue_settings (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    -- HRIMS_STARTS_PER_MINUTE of the worker that began last, and what a person said instead.
    starts_by_environment integer NOT NULL DEFAULT 5 CHECK (starts_by_environment BETWEEN 1 AND 10000),
    starts_by_person integer CHECK (starts_by_person BETWEEN 1 AND 10000),
    paused_at timestamptz,
    paused_by text CHECK (paused_by <> ''),
    paused_why text CHECK (length(paused_why) BETWEEN 1 AND 500),
    CONSTRAINT queue_paused_by_somebody_for_something CHECK
        ((paused_at IS NULL) = (paused_by IS NULL) AND (paused_at IS NULL) = (paused_why IS NULL))
);
INSERT INTO queue_settings DEFAULT VALUES;

CREATE FUNCTION starts_per_minute() RETURNS integer LANGUAGE sql STABLE
RETURN (SELECT coalesce(starts_by_person, starts_by_environment) FROM queue_settings);

CREATE TABLE run_starts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id bigint NOT NULL REFERENCES runs ON DELETE CASCADE,
    at timestamptz NOT NULL
);
CREATE INDEX run_starts_at ON run_starts (at);
CREATE INDEX run_starts_run ON run_starts (run_id);

-- When the run that stands in this place of the queue (from 1) may start, as far as the limit goes: each start
-- waits until the one that came so many before it is a minute old. The half second is for workers that note their
-- start a little late.
CREATE FUNCTION start_of_place(place bigint) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    WITH limits AS (
        SELECT starts_per_minute() AS most
    ), turn AS (
        SELECT most, (place - 1) / most AS rounds, (place - 1) % most AS ahead FROM limits
    )
    SELECT greatest(clock_timestamp(), (
        SELECT at + interval '60.5 seconds' FROM run_starts
        ORDER BY at DESC OFFSET turn.most - 1 - turn.ahead LIMIT 1))
        + turn.rounds * interval '60.5 seconds'
    FROM turn
$$;

-- Takes the next job for a worker, as procrastinate_fetch_job_v2 does, but that a run waits while the queue is
-- paused and until the limit lets it start. What asks nobody outside (apply) counts as no start.
CREATE FUNCTION take_run_job(queues character varying[], worker bigint) RETURNS procrastinate_jobs
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
    WITH next AS (
        SELECT j.id
        FROM procrastinate_jobs j
        LEFT JOIN runs r ON r.queue_job_id = j.id
        WHERE j.status = 'todo' AND (queues IS NULL OR j.queue_name = ANY (queues))
          AND (j.scheduled_at IS NULL OR j.scheduled_at <= now())
          AND (r.id IS NULL
               OR (is_open OR r.kind = 'apply') AND (SELECT paused_at IS NULL FROM queue_settings))
          AND NOT EXISTS (
              SELECT FROM procrastinate_jobs o
              WHERE o.lock = j.lock
                AND (o.status = 'doing'
                     OR o.status = 'todo' AND (-o.priority, o.id) < (-j.priority, j.id)))
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

-- Seconds until the limit lets the next run start that is due; null when none is due, or the queue is paused.
CREATE FUNCTION seconds_to_next_start() RETURNS double precision LANGUAGE sql STABLE AS $$
    SELECT extract(epoch FROM start_of_place(1) - clock_timestamp())::float8
    FROM queue_settings q
    WHERE q.paused_at IS NULL AND EXISTS (
        SELECT FROM runs r JOIN procrastinate_jobs j ON j.id = r.queue_job_id
        WHERE r.state IN ('waiting', 'delayed', 'active') AND r.kind <> 'apply' AND j.status = 'todo'
          AND (j.scheduled_at IS NULL OR j.scheduled_at <= now()))
$$;

-- About when a run that waits will start, as far as the limit goes: those that are due before it, are more urgent,
-- or were queued before it have their turn first. Null when the limit does not hold it.
CREATE FUNCTION start_of_run(run bigint) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    WITH queued AS MATERIALIZED (
        SELECT r.id AS run_id, greatest(coalesce(j.scheduled_at, '-infinity'), now()) AS due_at,
               -j.priority AS rank, j.id AS job_id
        FROM runs r JOIN procrastinate_jobs j ON j.id = r.queue_job_id
        WHERE r.state IN ('waiting', 'delayed') AND r.kind <> 'apply' AND j.status = 'todo'
    ), turn AS (
        SELECT due_at, start_of_place((
            SELECT count(*) FROM queued q
            WHERE (q.due_at, q.rank, q.job_id) <= (m.due_at, m.rank, m.job_id))) AS opens_at
        FROM queued m WHERE run_id = run
    )
    SELECT greatest(opens_at, due_at) FROM turn WHERE opens_at > clock_timestamp() + interval '1 second'
$$;
