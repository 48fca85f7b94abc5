-- Who works, and for whom. A worker writes itself down when it begins and gives a sign of life; an institution may
-- be tied to a pool, whose runs only the workers of that pool carry out.

CREATE TABLE workers (
    -- Procrastinate's number, which it forgets once the worker has fallen silent.
    worker_id bigint PRIMARY KEY,
    host text NOT NULL,
    pid integer NOT NULL,
    version text NOT NULL,
    pool text,
    capacity integer NOT NULL CHECK (capacity >= 1),
    began_at timestamptz NOT NULL DEFAULT now(),
    last_beat timestamptz NOT NULL DEFAULT now(),
    -- Of silence, after which it is thought dead.
    silent_seconds double precision NOT NULL CHECK (silent_seconds > 0),
    -- When it stopped by itself; one that died only falls silent.
    ended_at timestamptz
);
-- The table webhook_workers stays for the code that runs until it is replaced by this one's; nobody else uses it.
CREATE INDEX workers_not_ended ON workers (pool, last_beat) WHERE ended_at IS NULL;

CREATE FUNCTION is_alive(one workers) RETURNS boolean LANGUAGE sql STABLE
RETURN one.ended_at IS NULL AND one.last_beat > now() - make_interval(secs => one.silent_seconds);

-- Whether somebody works for this pool; null is for all institutions that are tied to none.
CREATE FUNCTION pool_is_served(name text) RETURNS boolean LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM workers w
               WHERE w.ended_at IS NULL AND w.pool IS NOT DISTINCT FROM name AND is_alive(w));

ALTER TABLE institutions ADD COLUMN pool text CHECK (pool ~ '^[a-z0-9][a-z0-9-]{0,29}$');
CREATE INDEX institutions_pool ON institutions (pool) WHERE pool IS NOT NULL;
ALTER TABLE runs ADD COLUMN pool text;

-- Whether its workers carry out as many runs as they can at once.
CREATE FUNCTION pool_is_busy(name text) RETURNS boolean LANGUAGE sql STABLE
RETURN (SELECT coalesce(sum(w.capacity), 0) FROM workers w
        WHERE w.ended_at IS NULL AND w.pool IS NOT DISTINCT FROM name AND is_alive(w))
    <= (SELECT count(*) FROM runs r WHERE r.state = 'active' AND r.pool IS NOT DISTINCT FROM name);

-- As in migration 0014, but that only those stand before a run whom somebody works for.
CREATE OR REPLACE FUNCTION start_of_run(run bigint) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    WITH served AS MATERIALIZED (
        SELECT DISTINCT w.pool FROM workers w WHERE w.ended_at IS NULL AND is_alive(w)
    ), queued AS MATERIALIZED (
        SELECT r.id AS run_id, greatest(coalesce(j.scheduled_at, '-infinity'), now()) AS due_at,
               -j.priority AS rank, j.id AS job_id
        FROM runs r JOIN procrastinate_jobs j ON j.id = r.queue_job_id
        WHERE r.state IN ('waiting', 'delayed') AND r.kind <> 'apply' AND j.status = 'todo'
          AND (r.id = run OR EXISTS (SELECT FROM served s WHERE s.pool IS NOT DISTINCT FROM r.pool))
    ), turn AS (
        SELECT due_at, start_of_place((
            SELECT count(*) FROM queued q
            WHERE (q.due_at, q.rank, q.job_id) <= (m.due_at, m.rank, m.job_id))) AS opens_at
        FROM queued m WHERE run_id = run
    )
    SELECT greatest(opens_at, due_at) FROM turn WHERE opens_at > clock_timestamp() + interval '1 second'
$$;

-- The same for a worker of some queues alone.
CREATE FUNCTION seconds_to_next_start(queues character varying[]) RETURNS double precision LANGUAGE sql STABLE AS $$
    SELECT extract(epoch FROM start_of_place(1) - clock_timestamp())::float8
    FROM queue_settings q
    WHERE q.paused_at IS NULL AND EXISTS (
        SELECT FROM runs r JOIN procrastinate_jobs j ON j.id = r.queue_job_id
        WHERE r.state IN ('waiting', 'delayed', 'active') AND r.kind <> 'apply' AND j.status = 'todo'
          AND (queues IS NULL OR j.queue_name = ANY (queues))
          AND (j.scheduled_at IS NULL OR j.scheduled_at <= now()))
$$;

-- Workers as people query them: what each does, and whether it is alive.
CREATE VIEW workers_v AS
SELECT w.worker_id, w.host, w.pid, w.version, w.pool, w.capacity,
       is_alive(w) AS alive, w.began_at, w.last_beat, w.ended_at,
       array(SELECT r.id FROM procrastinate_jobs j JOIN runs r ON r.queue_job_id = j.id
             WHERE j.worker_id = w.worker_id AND j.status = 'doing' ORDER BY r.id) AS job_ids
FROM workers w;
