-- What the queue does now, for people who query: every run that has not ended, in the order of the page “Queue”,
-- with why it waits. It counts all places at once: start_of_run (migration 0019), asked for each of many runs, would
-- count them anew each time. A test compares the two, and the reasons with those of the page.

CREATE VIEW queue_v AS
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
           coalesce(sum(w.capacity), 0) <= (
               SELECT count(*) FROM under_way a WHERE a.state = 'active' AND a.pool IS NOT DISTINCT FROM p.pool
           ) AS is_busy
    FROM (SELECT DISTINCT pool FROM under_way) p
    LEFT JOIN workers w ON w.ended_at IS NULL AND w.pool IS NOT DISTINCT FROM p.pool AND is_alive(w)
    GROUP BY p.pool
), placed AS (
    -- Whom nobody works for holds up nobody else's turn.
    SELECT u.*, p.is_served, p.is_busy,
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
           WHEN r.waits_for = 'remote' THEN 'HRIMS is not asked just now: ' || coalesce(r.trouble, b.reason)
           WHEN r.state = 'delayed' THEN 'Attempt ' || r.attempt || ' failed: ' || r.trouble
           WHEN b.opened_at IS NOT NULL AND r.kind <> 'apply' THEN 'HRIMS is not asked just now: ' || b.reason
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
CROSS JOIN remote_breaker b
ORDER BY t.place;
