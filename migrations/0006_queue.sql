-- The queue: the limit of starts, the workers and their pools, quiet hours, and which run starts next.

-- One row. Settings of the queue that hold for all workers.
CREATE TABLE queue_settings (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    -- HRIMS_STARTS_PER_MINUTE of the worker that began last, and the number that a user set instead.
    starts_by_environment integer NOT NULL DEFAULT 5 CHECK (starts_by_environment BETWEEN 1 AND 10000),
    starts_by_person integer CHECK (starts_by_person BETWEEN 1 AND 10000),
    paused_at timestamptz,
    paused_by text CHECK (paused_by <> ''),
    paused_why text CHECK (length(paused_why) BETWEEN 1 AND 500),
    CONSTRAINT queue_pause_has_actor_and_reason CHECK
        ((paused_at IS NULL) = (paused_by IS NULL) AND (paused_at IS NULL) = (paused_why IS NULL))
);
INSERT INTO queue_settings DEFAULT VALUES;

CREATE FUNCTION starts_per_minute() RETURNS integer LANGUAGE sql STABLE
RETURN (SELECT coalesce(starts_by_person, starts_by_environment) FROM queue_settings);

-- The starts of the last hour, from which the next start is calculated.
CREATE TABLE run_starts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id bigint NOT NULL REFERENCES runs ON DELETE CASCADE,
    at timestamptz NOT NULL
);
CREATE INDEX run_starts_at ON run_starts (at);
CREATE INDEX run_starts_run ON run_starts (run_id);

-- The rate limiter: the time from which the run at this place of the queue may start. The first place is 1.
-- With n starts a minute, a run starts a minute after the n-th start before it. Example with 5 a minute: place 1 starts a
-- minute after the 5th latest start, place 5 a minute after the latest, and places 6 to 10 a minute later than 1 to 5.
-- The half second is for a worker that records its start a little late. The body is bound now, not when it is called.
CREATE FUNCTION earliest_start(place bigint) RETURNS timestamptz LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH limits AS (
        SELECT starts_per_minute() AS per_minute
    ), turn AS (
        SELECT per_minute, (place - 1) / per_minute AS minutes, (place - 1) % per_minute AS ahead FROM limits
    )
    SELECT greatest(clock_timestamp(), (
        SELECT at + interval '60.5 seconds' FROM run_starts
        ORDER BY at DESC OFFSET turn.per_minute - 1 - turn.ahead LIMIT 1))
        + turn.minutes * interval '60.5 seconds'
    FROM turn;
END;

-- A worker process has one row and one heartbeat. It registers when it begins.
CREATE TABLE workers (
    -- Procrastinate's number, which Procrastinate deletes after a long silence.
    worker_id bigint PRIMARY KEY,
    host text NOT NULL,
    pid integer NOT NULL,
    version text NOT NULL,
    -- Only workers of a pool carry out its runs. NULL means the runs without a pool.
    pool text,
    capacity integer NOT NULL CHECK (capacity >= 1),
    began_at timestamptz NOT NULL DEFAULT now(),
    -- The heartbeat. procrastinate_workers.last_heartbeat is a copy, which the same statement writes.
    last_beat timestamptz NOT NULL DEFAULT now(),
    -- A worker that is silent for longer counts as dead.
    silent_seconds double precision NOT NULL CHECK (silent_seconds > 0),
    -- Set by a worker that stops. A worker that dies only stops its heartbeat.
    ended_at timestamptz,
    -- The address of HRIMS that the worker asks, '' if it has none.
    address text,
    -- Why the worker cannot ask HRIMS, in words. NULL if it has an address.
    remote_problem text CHECK (remote_problem <> ''),
    -- The version of remote_connection that the worker uses.
    connection_version bigint,
    -- Seconds by which the clock of the worker's host was ahead of the database's at the last heartbeat.
    clock_ahead double precision NOT NULL DEFAULT 0,
    -- Identifies the process when its worker restarts. Two containers can share host name and process id.
    process text
);
CREATE INDEX workers_not_ended ON workers (pool, last_beat) WHERE ended_at IS NULL;

CREATE FUNCTION is_alive(worker workers) RETURNS boolean LANGUAGE sql STABLE
RETURN worker.ended_at IS NULL AND worker.last_beat > now() - make_interval(secs => worker.silent_seconds);

CREATE FUNCTION is_worker_alive(number bigint) RETURNS boolean LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM workers w WHERE w.worker_id = number AND is_alive(w));

-- Whether a pool has a living worker. NULL means the institutions without a pool.
CREATE FUNCTION pool_is_served(name text) RETURNS boolean LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM workers w
               WHERE w.ended_at IS NULL AND w.pool IS NOT DISTINCT FROM name AND is_alive(w));

-- The end of quiet hours that include the given time, else NULL. The hours may include midnight.
CREATE FUNCTION quiet_end(opens time, closes time, zone text, at timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN opens < closes AND l.clock >= opens AND l.clock < closes THEN (l.day + closes) AT TIME ZONE zone
        WHEN opens > closes AND l.clock >= opens THEN (l.day + 1 + closes) AT TIME ZONE zone
        WHEN opens > closes AND l.clock < closes THEN (l.day + closes) AT TIME ZONE zone
    END
    FROM (SELECT (at AT TIME ZONE zone)::date AS day, (at AT TIME ZONE zone)::time AS clock) l
$$;

-- The current quiet hours of runs under way. Each is calculated once, however many runs share it.
CREATE VIEW quiet_now AS
SELECT w.* FROM (
    SELECT d.*, quiet_end(d.quiet_from, d.quiet_until, d.quiet_zone, now()) AS ends_at
    FROM (SELECT DISTINCT quiet_from, quiet_until, quiet_zone FROM runs
          WHERE quiet_from IS NOT NULL AND state IN ('waiting', 'delayed', 'active') OFFSET 0) d
    OFFSET 0
) w WHERE w.ends_at IS NOT NULL;

-- The queue of a pool's runs, as queue_name() in hrims/jobs/workers/pools.py.
CREATE FUNCTION queue_name(pool text) RETURNS text LANGUAGE sql IMMUTABLE
RETURN 'sync' || coalesce('.' || pool, '');

-- The number of a priority, as PRIORITIES in hrims/jobs/rate_limit/priorities.py.
CREATE FUNCTION priority_number(priority text) RETURNS integer LANGUAGE sql IMMUTABLE
RETURN CASE priority WHEN 'urgent' THEN 10 WHEN 'low' THEN -10 ELSE 0 END;

-- Queues the jobs of many runs, in the given order. make_job() in hrims/jobs/queue.py does the same for one run.
CREATE FUNCTION enqueue_runs(run_ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    job_ids bigint[];
BEGIN
    SELECT procrastinate_defer_jobs_v1(array_agg(ROW(
        queue_name(r.pool), 'sync.run', priority_number(r.priority),
        NULL, 'run:' || r.id, jsonb_strip_nulls(jsonb_build_object('run_id', r.id, 'request_id', r.request_id)),
        r.not_before
    )::procrastinate_job_to_defer_v1 ORDER BY o.place))
    INTO job_ids
    FROM unnest(run_ids) WITH ORDINALITY AS o(id, place) JOIN runs r ON r.id = o.id;
    UPDATE runs r SET queue_job_id = j.id
    FROM procrastinate_jobs j WHERE j.id = ANY (job_ids) AND r.id = (j.args ->> 'run_id')::bigint;
END $$;

-- Whether a run may start now is decided here and nowhere else: seconds_to_next_start, expected_start and queue_v only
-- predict it. Takes the next job for a worker, as procrastinate_fetch_job_v2 does, except that some runs wait. Each run
-- waits while the queue is paused and in its quiet hours. A run that asks HRIMS also waits until the limit lets it
-- start, and until the worker may ask (can_request_remote). An apply does not ask HRIMS, so it is not counted.
CREATE FUNCTION fetch_run_job(queues character varying[], worker bigint) RETURNS procrastinate_jobs
LANGUAGE plpgsql AS $$
DECLARE
    taken procrastinate_jobs;
    may_start boolean;
BEGIN
    IF NOT EXISTS (
        SELECT FROM procrastinate_jobs j
        WHERE j.status = 'todo' AND (queues IS NULL OR j.queue_name = ANY (queues))
          AND (j.scheduled_at IS NULL OR j.scheduled_at <= now()))
    THEN
        RETURN NULL;
    END IF;
    -- One worker at a time decides on a start. The count of starts stays true until this start is written.
    PERFORM pg_advisory_xact_lock(hashtext('hrims starts'));
    may_start := earliest_start(1) <= clock_timestamp() AND can_request_remote(worker);
    WITH quiet AS MATERIALIZED (
        SELECT * FROM quiet_now
    ), next AS (
        SELECT j.id
        FROM procrastinate_jobs j
        LEFT JOIN runs r ON r.queue_job_id = j.id
        WHERE j.status = 'todo' AND (queues IS NULL OR j.queue_name = ANY (queues))
          AND (j.scheduled_at IS NULL OR j.scheduled_at <= now())
          AND (r.id IS NULL
               OR ((may_start OR r.kind = 'apply') AND (SELECT paused_at IS NULL FROM queue_settings)
                   AND NOT EXISTS (
                       SELECT FROM quiet q
                       WHERE (q.quiet_from, q.quiet_until, q.quiet_zone)
                           = (r.quiet_from, r.quiet_until, r.quiet_zone))))
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

-- Seconds until the limit lets the next due run of these queues start. NULL if no run is due or the queue is paused.
CREATE FUNCTION seconds_to_next_start(queues character varying[]) RETURNS double precision
LANGUAGE sql STABLE AS $$
    WITH quiet AS MATERIALIZED (
        SELECT * FROM quiet_now
    )
    SELECT extract(epoch FROM earliest_start(1) - clock_timestamp())::float8
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

-- The estimated start of a waiting run, as far as the limit, not_before and the quiet hours decide it. Runs of served
-- pools that are due earlier, are more urgent or were queued earlier start first.
-- NULL if nothing of that holds the run, or if the queue is paused: the end of a pause is unknown.
CREATE FUNCTION expected_start(run bigint) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    WITH served AS MATERIALIZED (
        SELECT DISTINCT w.pool FROM workers w WHERE w.ended_at IS NULL AND is_alive(w)
    ), queued AS MATERIALIZED (
        SELECT r.id AS run_id, -j.priority AS rank, j.id AS job_id, h.until AS held_until,
               greatest(coalesce(j.scheduled_at, '-infinity'), now(), h.until) AS due_at
        FROM runs r JOIN procrastinate_jobs j ON j.id = r.queue_job_id
        CROSS JOIN LATERAL (
            SELECT greatest(r.not_before, CASE WHEN r.quiet_from IS NOT NULL THEN quiet_end(
                r.quiet_from, r.quiet_until, r.quiet_zone, greatest(j.scheduled_at, now())) END) AS until
        ) h
        WHERE r.state IN ('waiting', 'delayed') AND r.kind <> 'apply' AND j.status = 'todo'
          AND (r.id = run OR EXISTS (SELECT FROM served s WHERE s.pool IS NOT DISTINCT FROM r.pool))
    ), turn AS (
        SELECT due_at, held_until, earliest_start((
            SELECT count(*) FROM queued q
            WHERE (q.due_at, q.rank, q.job_id) <= (m.due_at, m.rank, m.job_id))) AS opens_at
        FROM queued m WHERE run_id = run
    )
    SELECT greatest(opens_at, due_at) FROM turn, queue_settings s
    WHERE s.paused_at IS NULL
      AND (opens_at > clock_timestamp() + interval '1 second' OR held_until > clock_timestamp())
$$;

-- Retention deletes jobs in small steps, each found by one of these indexes.
CREATE INDEX jobs_ended ON procrastinate_jobs (id) WHERE status IN ('succeeded', 'cancelled', 'aborted');
CREATE INDEX jobs_failed ON procrastinate_jobs (id) WHERE status = 'failed';
