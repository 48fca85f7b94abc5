-- Whether HRIMS is asked is known of each host and each address: a worker that has a wrong address or wrong credentials,
-- or a host from which HRIMS cannot be reached, stops nobody else. Who does not ask takes no run, so none counts as a
-- start only to be given back.

-- A row while HRIMS is not asked from there: why, and when it is probed next.
CREATE TABLE remote_breakers (
    host text NOT NULL,
    address text NOT NULL,
    opened_at timestamptz NOT NULL DEFAULT now(),
    reason text NOT NULL,
    code text NOT NULL,
    probes integer NOT NULL DEFAULT 0 CHECK (probes >= 0),
    probe_at timestamptz NOT NULL,
    PRIMARY KEY (host, address)
);
-- The table remote_breaker and the column runs.waits_for stay for the code that runs until it is replaced by this one's;
-- nobody else uses them.

-- Which address a worker asks: empty where it knows none, null where its code says nothing of it.
ALTER TABLE workers ADD COLUMN address text;

CREATE FUNCTION does_not_ask(one workers) RETURNS boolean LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM remote_breakers b WHERE b.host = one.host AND b.address = one.address);

-- Whether one of a pool's workers asks HRIMS; null is for those of no pool.
CREATE FUNCTION pool_asks(name text) RETURNS boolean LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM workers w
               WHERE w.ended_at IS NULL AND w.pool IS NOT DISTINCT FROM name AND is_alive(w)
                 AND w.address IS DISTINCT FROM '' AND NOT does_not_ask(w));

-- Why none of them does; null while one does, or none is there.
CREATE FUNCTION why_pool_does_not_ask(name text) RETURNS text LANGUAGE sql STABLE
RETURN CASE WHEN NOT pool_asks(name) THEN (
    SELECT min(b.reason) FROM workers w JOIN remote_breakers b ON b.host = w.host AND b.address = w.address
    WHERE w.ended_at IS NULL AND w.pool IS NOT DISTINCT FROM name AND is_alive(w)) END;

-- Whether a worker takes runs that ask HRIMS. One without an address leaves them to its colleagues; where it has none
-- who ask, its runs fail and say so.
CREATE FUNCTION may_ask(worker bigint) RETURNS boolean LANGUAGE sql STABLE
RETURN NOT EXISTS (SELECT FROM workers w
                   WHERE w.worker_id = worker AND (does_not_ask(w) OR w.address = '' AND pool_asks(w.pool)));

-- As in migration 0018, but that those count who ask.
CREATE OR REPLACE FUNCTION pool_is_busy(name text) RETURNS boolean LANGUAGE sql STABLE
RETURN (SELECT coalesce(sum(w.capacity), 0) FROM workers w
        WHERE w.ended_at IS NULL AND w.pool IS NOT DISTINCT FROM name AND is_alive(w) AND NOT does_not_ask(w))
    <= (SELECT count(*) FROM runs r WHERE r.state = 'active' AND r.pool IS NOT DISTINCT FROM name);

-- As in migration 0019, but for may_ask.
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
    is_open := start_of_place(1) <= clock_timestamp() AND may_ask(worker);
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

-- As in migration 0018, and what each asks, and why not.
CREATE OR REPLACE VIEW workers_v AS
SELECT w.worker_id, w.host, w.pid, w.version, w.pool, w.capacity,
       is_alive(w) AS alive, w.began_at, w.last_beat, w.ended_at,
       array(SELECT r.id FROM procrastinate_jobs j JOIN runs r ON r.queue_job_id = j.id
             WHERE j.worker_id = w.worker_id AND j.status = 'doing' ORDER BY r.id) AS job_ids,
       w.address, b.reason AS not_asked
FROM workers w LEFT JOIN remote_breakers b ON b.host = w.host AND b.address = w.address;

-- As in migration 0022, but that HRIMS is asked or not by the workers of a run's own pool.
CREATE OR REPLACE VIEW queue_v AS
WITH under_way AS (
    SELECT r.id, r.state, r.pool, h.until AS held_until, j.id AS queue_job_id, j.worker_id, j.priority AS rank,
           greatest(coalesce(j.scheduled_at, '-infinity'), now(), h.until) AS due_at,
           r.state <> 'active' AND r.kind <> 'apply' AND j.status = 'todo' AS is_counted
    FROM runs r
    LEFT JOIN procrastinate_jobs j ON j.id = r.queue_job_id
    CROSS JOIN LATERAL (
        SELECT greatest(r.not_before, CASE WHEN r.quiet_from IS NOT NULL THEN quiet_ends(
            r.quiet_from, r.quiet_until, r.quiet_zone, greatest(j.scheduled_at, now())) END) AS until
    ) h
    WHERE r.state IN ('waiting', 'delayed', 'active')
), pools AS MATERIALIZED (
    -- Not by pool_is_served and pool_is_busy: whoever may read the view would have to be allowed to read runs too.
    SELECT p.pool, count(w.worker_id) > 0 AS is_served,
           coalesce(sum(w.capacity) FILTER (WHERE b.host IS NULL), 0) <= (
               SELECT count(*) FROM under_way a WHERE a.state = 'active' AND a.pool IS NOT DISTINCT FROM p.pool
           ) AS is_busy,
           CASE WHEN count(*) FILTER (WHERE w.address IS DISTINCT FROM '' AND b.host IS NULL) = 0
                THEN min(b.reason) END AS not_asked
    FROM (SELECT DISTINCT pool FROM under_way) p
    LEFT JOIN workers w ON w.ended_at IS NULL AND w.pool IS NOT DISTINCT FROM p.pool AND is_alive(w)
    LEFT JOIN remote_breakers b ON b.host = w.host AND b.address = w.address
    GROUP BY p.pool
), placed AS (
    -- Whom nobody works for holds up nobody else's turn.
    SELECT u.*, p.is_served, p.is_busy, p.not_asked,
           row_number() OVER (ORDER BY u.state = 'active' DESC, u.due_at, u.rank DESC, u.queue_job_id) AS place,
           CASE WHEN u.is_counted THEN start_of_place(
               count(*) FILTER (WHERE u.is_counted AND p.is_served)
                   OVER (ORDER BY u.due_at, u.rank DESC, u.queue_job_id)
               + CASE WHEN p.is_served THEN 0 ELSE 1 END)
           END AS opens_at
    FROM under_way u
    JOIN pools p ON p.pool IS NOT DISTINCT FROM u.pool
), timed AS (
    SELECT p.*, CASE WHEN p.opens_at > clock_timestamp() + interval '1 second'
                       OR p.is_counted AND p.held_until > clock_timestamp()
                     THEN greatest(p.opens_at, p.due_at) END AS starts_at
    FROM placed p
)
SELECT t.place, r.id AS job_id, i.name AS institution, r.institution_id, r.kind, r.state, r.priority, r.attempt,
       r.requested_by, r.requested_at, r.next_try_at, t.starts_at,
       CASE
           WHEN r.state = 'active' THEN NULL
           WHEN r.state = 'waiting' AND NOT t.is_served
               THEN 'No worker is running' || coalesce(' for the pool ' || r.pool, '')
           WHEN q.paused_at IS NOT NULL THEN q.paused_by || ' has paused the queue: ' || q.paused_why
           WHEN r.state = 'delayed' THEN 'Attempt ' || r.attempt || ' failed: ' || r.trouble
           WHEN t.not_asked IS NOT NULL AND r.kind <> 'apply' THEN 'HRIMS is not asked just now: ' || t.not_asked
           WHEN t.due_at > now() THEN 'It is not due yet'
           WHEN t.starts_at IS NOT NULL
               THEN 'Its turn has not come: starts in any minute: '
                    || coalesce(q.starts_by_person, q.starts_by_environment)
           WHEN t.is_busy THEN 'The workers carry out as many runs as they can at once'
           ELSE 'No worker has taken it yet'
       END AS why,
       t.queue_job_id, t.worker_id, r.pool
FROM timed t
JOIN runs r ON r.id = t.id
LEFT JOIN institutions i ON i.id = r.institution_id
CROSS JOIN queue_settings q
ORDER BY t.place;
