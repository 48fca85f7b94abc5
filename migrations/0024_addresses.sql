-- Whether HRIMS is asked is known of each of its addresses: a worker that has a wrong one, or a host from which HRIMS
-- cannot be reached, stops nobody else.

-- A row while an address is not asked: why, and when it is probed next.
CREATE TABLE remote_breakers (
    address text PRIMARY KEY,
    opened_at timestamptz NOT NULL DEFAULT now(),
    reason text NOT NULL,
    code text NOT NULL,
    probes integer NOT NULL DEFAULT 0 CHECK (probes >= 0),
    probe_at timestamptz NOT NULL
);
-- The table remote_breaker stays for the code that runs until it is replaced by this one's; nobody else uses it.

-- Which address a worker asks; null until it has said so.
ALTER TABLE workers ADD COLUMN address text;

-- Whether one of a pool's workers asks HRIMS; null is for those of no pool.
CREATE FUNCTION pool_asks(name text) RETURNS boolean LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM workers w
               WHERE w.ended_at IS NULL AND w.pool IS NOT DISTINCT FROM name AND is_alive(w)
                 AND w.address IS NOT NULL
                 AND NOT EXISTS (SELECT FROM remote_breakers b WHERE b.address = w.address));

-- Why none of them does; null while one does, or none is there.
CREATE FUNCTION pool_is_refused(name text) RETURNS text LANGUAGE sql STABLE
RETURN CASE WHEN NOT pool_asks(name) THEN (
    SELECT min(b.reason) FROM workers w JOIN remote_breakers b ON b.address = w.address
    WHERE w.ended_at IS NULL AND w.pool IS NOT DISTINCT FROM name AND is_alive(w)) END;

-- Whether a worker does better to leave the runs to others of its pool: its own address is not asked, nor probed yet.
CREATE FUNCTION leaves_to_others(worker bigint) RETURNS boolean LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM workers w JOIN remote_breakers b ON b.address = w.address
               WHERE w.worker_id = worker AND b.probe_at > now() AND pool_asks(w.pool));

-- As in migration 0018, and what it asks, and why not.
CREATE OR REPLACE VIEW workers_v AS
SELECT w.worker_id, w.host, w.pid, w.version, w.pool, w.capacity,
       is_alive(w) AS alive, w.began_at, w.last_beat, w.ended_at,
       array(SELECT r.id FROM procrastinate_jobs j JOIN runs r ON r.queue_job_id = j.id
             WHERE j.worker_id = w.worker_id AND j.status = 'doing' ORDER BY r.id) AS job_ids,
       w.address, b.reason AS not_asked
FROM workers w LEFT JOIN remote_breakers b ON b.address = w.address;

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
    -- Not by pool_is_served and its like: whoever may read the view would have to be allowed to read runs too.
    SELECT p.pool, count(w.worker_id) > 0 AS is_served,
           coalesce(sum(w.capacity), 0) <= (
               SELECT count(*) FROM under_way a WHERE a.state = 'active' AND a.pool IS NOT DISTINCT FROM p.pool
           ) AS is_busy,
           CASE WHEN count(*) FILTER (WHERE w.address IS NOT NULL AND b.address IS NULL) = 0
                THEN min(b.reason) END AS not_asked
    FROM (SELECT DISTINCT pool FROM under_way) p
    LEFT JOIN workers w ON w.ended_at IS NULL AND w.pool IS NOT DISTINCT FROM p.pool AND is_alive(w)
    LEFT JOIN remote_breakers b ON b.address = w.address
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
           WHEN r.waits_for = 'remote' THEN 'HRIMS is not asked just now: ' || coalesce(r.trouble, t.not_asked)
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
