-- The figures of a scrape. Each must stay fast beside a million past runs: it reads an index of the unfinished or open
-- rows, or a table that is small.

-- name: runs
SELECT coalesce(pool, ''), state, count(*) FROM runs WHERE state IN ('waiting', 'delayed', 'active') GROUP BY 1, 2

-- name: oldest_waiting
-- Seconds for which the oldest run that may start has waited. A run that is held until later does not count.
SELECT coalesce(r.pool, ''),
       extract(epoch FROM max(now() - greatest(r.requested_at, r.not_before)))::float8
FROM runs r
WHERE r.state = 'waiting' AND coalesce(r.not_before <= now(), true)
  AND (r.quiet_from IS NULL OR quiet_end(r.quiet_from, r.quiet_until, r.quiet_zone, now()) IS NULL)
GROUP BY 1

-- name: runs_ended
SELECT kind, outcome, cause, sum(runs)::bigint FROM run_end_counts GROUP BY 1, 2, 3

-- name: workers
-- A worker that has been silent for an hour is forgotten.
SELECT coalesce(w.pool, ''), CASE WHEN is_alive(w) THEN 'alive' ELSE 'silent' END, count(*)
FROM workers w WHERE w.ended_at IS NULL AND (is_alive(w) OR w.last_beat > now() - interval '1 hour') GROUP BY 1, 2

-- name: capacity
SELECT coalesce(w.pool, ''), sum(w.capacity)::bigint FROM workers w WHERE w.ended_at IS NULL AND is_alive(w) GROUP BY 1

-- name: pools_without_worker
-- Pools with institutions or unfinished runs, but no live worker.
SELECT count(*) FROM (
    SELECT pool FROM institutions
    UNION SELECT pool FROM runs WHERE state IN ('waiting', 'delayed', 'active')
) wanted
WHERE NOT pool_is_served(wanted.pool)

-- name: pools_without_address
-- The same pools, if they have live workers but none with an address of HRIMS: no worker takes their runs.
SELECT count(*) FROM (
    SELECT pool FROM institutions
    UNION SELECT pool FROM runs WHERE state IN ('waiting', 'delayed', 'active')
) wanted
WHERE pool_is_served(wanted.pool) AND NOT pool_has_address(wanted.pool)

-- name: outdated_workers
SELECT count(*) FROM workers w WHERE w.ended_at IS NULL AND is_alive(w) AND w.version <> %(version)s

-- name: clocks
SELECT coalesce(max(abs(w.clock_ahead)), 0) FROM workers w WHERE w.ended_at IS NULL AND is_alive(w)

-- name: slots
SELECT count(*) FILTER (WHERE until > now()), (SELECT count(*) FROM remote_waiters) FROM remote_slots

-- name: breakers
-- Open circuit breakers of routes that a live worker uses.
SELECT b.code, count(*) FROM remote_breakers b
WHERE EXISTS (SELECT FROM workers w WHERE w.ended_at IS NULL AND is_alive(w) AND w.host = b.host AND w.address = b.address)
GROUP BY 1

-- name: queue
SELECT (q.paused_at IS NOT NULL)::int, starts_per_minute() FROM queue_settings q

-- name: webhooks
SELECT state, count(*) FROM webhook_messages WHERE state = 'waiting' GROUP BY 1
UNION ALL
SELECT state, count(*) FROM webhook_messages WHERE state = 'failed' GROUP BY 1

-- name: schedules
SELECT count(*) FILTER (WHERE paused_at IS NULL), count(*) FILTER (WHERE paused_at IS NOT NULL),
       count(*) FILTER (WHERE paused_at IS NULL AND next_at < now() - interval '1 minute')
FROM schedules

-- name: institutions
-- Institutions by the age of their last complete result. A month is 35 days: a monthly batch may take some days.
SELECT CASE WHEN l.finished_at > now() - interval '1 day' THEN 'day'
            WHEN l.finished_at > now() - interval '7 days' THEN 'week'
            WHEN l.finished_at > now() - interval '35 days' THEN 'month'
            WHEN l.finished_at IS NOT NULL THEN 'older' ELSE 'never' END, count(*)
FROM institutions i
LEFT JOIN LATERAL (
    SELECT r.finished_at FROM runs r
    WHERE r.institution_id = i.id AND r.state = 'completed' AND r.kind IN ('sync', 'apply') AND r.outcome <> 'incomplete'
    ORDER BY r.id DESC LIMIT 1
) l ON true
GROUP BY 1

-- name: open_work
-- What waits for a user: decisions on leavers, and rejected records.
SELECT (SELECT count(*) FROM departures WHERE state = 'waiting'),
       (SELECT count(*) FROM reject_cases WHERE closed_at IS NULL)

-- name: database
SELECT pg_database_size(current_database())
