-- What limits the requests to HRIMS: slots, circuit breakers, and the page sizes that HRIMS answers.

-- A worker holds a slot while it sends requests. The table is logged, so slots survive a crash of the database and a
-- failover to a standby. Without them other workers would send requests in addition.
CREATE TABLE remote_slots (
    number integer PRIMARY KEY CHECK (number > 0),
    holder text NOT NULL,
    until timestamptz NOT NULL,
    -- A lease may be over because its holder could not reach the database. A worker that wants the slot writes this
    -- time first, and the holder has a short time to renew its lease.
    wanted_at timestamptz
);

-- The workers that wait for a slot, since when, and when each looked last. The longest wait gets the next free slot.
-- Otherwise a worker that frees a slot could take it again at once. A row that a crash deletes is written again at the
-- next look.
CREATE UNLOGGED TABLE remote_waiters (
    holder text PRIMARY KEY,
    since timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now()
);

-- The page size that an address of HRIMS answers. A run finds it when pages hold another number of records than
-- requested. A finding expires, in case HRIMS was changed.
CREATE TABLE remote_page_sizes (
    base_url text NOT NULL CHECK (base_url <> ''),
    identifier_type text NOT NULL CHECK (identifier_type IN ('votecode', 'tin')),
    smallest integer CHECK (smallest BETWEEN 1 AND 500),
    largest integer CHECK (largest BETWEEN 1 AND 500),
    found_at timestamptz NOT NULL DEFAULT now(),
    found_run_id bigint NOT NULL,
    PRIMARY KEY (base_url, identifier_type),
    CONSTRAINT remote_page_sizes_limit_something CHECK (smallest IS NOT NULL OR largest IS NOT NULL),
    CONSTRAINT remote_page_sizes_in_order CHECK (smallest <= largest)
);

-- An open circuit breaker: workers on this host do not ask HRIMS at this address until a probe succeeds. A worker with
-- a wrong address, wrong credentials or no connection does not stop the others (decision 0017).
CREATE TABLE remote_breakers (
    host text NOT NULL,
    address text NOT NULL,
    opened_at timestamptz NOT NULL DEFAULT now(),
    reason text NOT NULL,
    code text NOT NULL,
    probes integer NOT NULL DEFAULT 0 CHECK (probes >= 0),
    -- The time of the next probe.
    probe_at timestamptz NOT NULL,
    PRIMARY KEY (host, address)
);

-- Whether the circuit breaker of a worker's route is open, so that the worker sends HRIMS only probes.
CREATE FUNCTION has_open_breaker(worker workers) RETURNS boolean LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM remote_breakers b WHERE b.host = worker.host AND b.address = worker.address);

-- Whether a worker of a pool asks HRIMS. NULL means the workers without a pool.
CREATE FUNCTION pool_can_request_remote(name text) RETURNS boolean LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM workers w
               WHERE w.ended_at IS NULL AND w.pool IS NOT DISTINCT FROM name AND is_alive(w)
                 AND w.address IS DISTINCT FROM '' AND NOT has_open_breaker(w));

-- The reason why no worker of a pool asks HRIMS. NULL if one does, or if no breaker is open for any of them.
CREATE FUNCTION pool_breaker_reason(name text) RETURNS text LANGUAGE sql STABLE
RETURN CASE WHEN NOT pool_can_request_remote(name) THEN (
    SELECT min(b.reason) FROM workers w JOIN remote_breakers b ON b.host = w.host AND b.address = w.address
    WHERE w.ended_at IS NULL AND w.pool IS NOT DISTINCT FROM name AND is_alive(w)) END;

-- The time of the next probe, if no worker of a pool asks HRIMS.
CREATE FUNCTION pool_probes_at(name text) RETURNS timestamptz LANGUAGE sql STABLE
RETURN CASE WHEN NOT pool_can_request_remote(name) THEN (
    SELECT min(b.probe_at) FROM workers w JOIN remote_breakers b ON b.host = w.host AND b.address = w.address
    WHERE w.ended_at IS NULL AND w.pool IS NOT DISTINCT FROM name AND is_alive(w)) END;

-- Whether a worker takes runs that ask HRIMS. A worker without an address leaves them to workers that ask.
-- If its pool has none, it takes the runs, and they fail with a message.
CREATE FUNCTION can_request_remote(worker bigint) RETURNS boolean LANGUAGE sql STABLE
RETURN NOT EXISTS (SELECT FROM workers w
                   WHERE w.worker_id = worker AND (has_open_breaker(w) OR w.address = '' AND pool_can_request_remote(w.pool)));

-- Whether the workers of a pool carry out as many runs as they can. Only workers without an open breaker count.
CREATE FUNCTION pool_is_busy(name text) RETURNS boolean LANGUAGE sql STABLE
RETURN (SELECT coalesce(sum(w.capacity), 0) FROM workers w
        WHERE w.ended_at IS NULL AND w.pool IS NOT DISTINCT FROM name AND is_alive(w) AND NOT has_open_breaker(w))
    <= (SELECT count(*) FROM runs r WHERE r.state = 'active' AND r.pool IS NOT DISTINCT FROM name);

-- The code of the reason why a run waits; NULL if it does not wait. hrims/runs/messages.py has a message for each code.
-- ``starts_at`` is expected_start(run). The other arguments describe the queue and the pool of the run: ``breaker`` is
-- pool_breaker_reason. The view queue_v calculates them for all runs at once.
CREATE FUNCTION wait_code(run runs, starts_at timestamptz, is_paused boolean, is_served boolean, breaker text,
                          is_busy boolean) RETURNS text LANGUAGE sql STABLE
RETURN CASE
    WHEN run.state NOT IN ('waiting', 'delayed') THEN NULL
    WHEN run.state = 'waiting' AND NOT is_served THEN 'no_worker'
    WHEN is_paused THEN 'paused'
    WHEN run.state = 'delayed' THEN 'retry'
    WHEN breaker IS NOT NULL AND run.kind <> 'apply' THEN 'breaker_open'
    WHEN quiet_end(run.quiet_from, run.quiet_until, run.quiet_zone, now()) IS NOT NULL THEN 'quiet_hours'
    WHEN run.not_before > now() THEN 'spread'
    WHEN starts_at IS NOT NULL THEN 'rate_limit'
    WHEN is_busy THEN 'workers_busy'
    ELSE 'queued'
END;
