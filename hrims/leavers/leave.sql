-- Ends listings and makes leavers. hrims/leavers/store.py runs it, in the transaction that ends a run or that decides
-- on a departure.

-- name: lock_departures
-- Process one departure at a time, over all institutions. Two that share employees would each lock some of them and
-- deadlock.
SELECT pg_advisory_xact_lock(hashtext('hrims leavers'))

-- name: count_met
-- Counts the employees that this run met in all its passes. The result must not be below the number that the run
-- counted.
SELECT count(DISTINCT id) FROM run_pages, unnest(people) AS id WHERE run_id = %(run)s

-- name: unmet
-- The employees of the list that no pass of this run met. Uses EXCEPT because a new list has no statistics: NOT EXISTS
-- would be planned as a nested loop over all pairs.
WITH run AS (
    SELECT id, institution_id, identifier_type, %(readings)s::int[] AS counted FROM runs WHERE id = %(run)s
), missing AS MATERIALIZED (
    SELECT l.employee_id FROM listings l
    WHERE l.institution_id = %(institution)s AND l.identifier_type = %(type)s AND l.ended_at IS NULL
    EXCEPT SELECT id FROM run_pages, unnest(people) AS id WHERE run_id = %(run)s
), unmet AS MATERIALIZED (
    SELECT e.id, e.zan_id, e.name, e.payroll_number FROM missing m JOIN employees e ON e.id = m.employee_id
)

-- name: count_misses
-- Continues ``unmet``, and ``absent`` of hrims/employees/absence.sql. Counts a miss for each absent employee. An
-- employee that is a reject by ZanID is listed, so its misses are reset. For the other unmet employees nothing is
-- proven; the run records their number.
, listed AS (
    UPDATE listings l SET missed_runs = 0, missed_since_run_id = NULL
    FROM unmet u JOIN named n ON n.masked = masked_key(u.zan_id) AND n.record_key = record_key('zan_id:' || u.zan_id)
    WHERE l.institution_id = %(institution)s AND l.identifier_type = %(type)s AND l.employee_id = u.id
      AND l.missed_runs > 0
), missed AS (
    UPDATE listings l
    SET missed_runs = l.missed_runs + 1, missed_since_run_id = coalesce(l.missed_since_run_id, %(run)s)
    FROM absent a
    WHERE l.institution_id = %(institution)s AND l.identifier_type = %(type)s AND l.employee_id = a.id
    RETURNING l.employee_id
), progress AS (
    UPDATE run_progress p
    SET unproven = (
        SELECT count(*) FROM (
            SELECT id FROM unmet EXCEPT SELECT id FROM absent
            EXCEPT SELECT u.id FROM unmet u
            JOIN named n ON n.masked = masked_key(u.zan_id) AND n.record_key = record_key('zan_id:' || u.zan_id)
        ) AS neither)
    WHERE p.run_id = %(run)s AND EXISTS (SELECT FROM unnamed)
)
SELECT employee_id FROM missed

-- name: lock_overdue
-- Locks their rows in key order. After that, no page can add them to another list unnoticed.
SELECT e.id FROM listings l
JOIN employees e ON e.id = l.employee_id
WHERE l.institution_id = %(institution)s AND l.identifier_type = %(type)s AND l.ended_at IS NULL
  AND l.missed_runs >= %(after)s
ORDER BY e.zan_id FOR UPDATE OF e

-- name: find_overdue
-- The employees that were missed often enough. Returns since which run, whether another list still has them, and
-- whether this run missed them.
SELECT l.employee_id, l.missed_since_run_id,
       EXISTS (SELECT FROM listings o WHERE o.employee_id = l.employee_id AND o.ended_at IS NULL
               AND (o.institution_id, o.identifier_type) <> (l.institution_id, l.identifier_type)),
       l.employee_id = ANY(%(missed)s::bigint[])
FROM listings l
WHERE l.institution_id = %(institution)s AND l.identifier_type = %(type)s AND l.ended_at IS NULL
  AND l.missed_runs >= %(after)s
ORDER BY l.employee_id

-- name: count_listed
SELECT count(*) FROM listings
WHERE institution_id = %(institution)s AND identifier_type = %(type)s AND ended_at IS NULL

-- name: count_recent
-- Counts the recent leavers of this institution that no user has approved, and who are still leavers.
SELECT count(*) FROM departures d
JOIN departure_people p ON p.departure_id = d.id AND p.became = 'left'
JOIN employees e ON e.id = p.employee_id AND e.left_run_id = d.run_id
WHERE d.institution_id = %(institution)s AND d.state = 'applied'
  AND d.created_at > now() - make_interval(days => %(days)s)

-- name: supersede
UPDATE departures SET state = 'superseded'
WHERE institution_id = %(institution)s AND identifier_type = %(type)s AND state = 'waiting'
RETURNING run_id

-- name: clear_waiting
UPDATE run_progress SET leavers_waiting = 0 WHERE run_id = %(run)s

-- name: insert_departure
INSERT INTO departures (institution_id, identifier_type, run_id, asked_by, state, why, listed, people)
SELECT %(institution)s, %(type)s, r.id, r.requested_by, %(state)s, %(why)s, %(listed)s,
       cardinality(%(people)s::bigint[])
FROM runs r WHERE r.id = %(run)s
RETURNING id

-- name: insert_people
INSERT INTO departure_people (departure_id, employee_id, missed_since_run_id)
SELECT %(departure)s, * FROM unnest(%(people)s::bigint[], %(since)s::bigint[])

-- name: lock_people
SELECT e.id FROM departure_people p
JOIN employees e ON e.id = p.employee_id
WHERE p.departure_id = %(departure)s ORDER BY e.zan_id FOR UPDATE OF e

-- name: end_listings
-- Ends the listings of employees that the list has missed ever since. An employee that was met meanwhile keeps its
-- listing.
UPDATE listings l SET ended_at = now(), ended_run_id = d.run_id
FROM departures d
JOIN departure_people p ON p.departure_id = d.id
WHERE d.id = %(departure)s AND l.institution_id = d.institution_id
  AND l.identifier_type = d.identifier_type AND l.employee_id = p.employee_id
  AND l.ended_at IS NULL AND l.missed_since_run_id = p.missed_since_run_id

-- name: classify_people
-- An employee on another institution's list was transferred. An employee that is still under the same institution's
-- other number was only removed from this list. Every other employee left.
UPDATE departure_people p
SET became = CASE
    WHEN EXISTS (SELECT FROM listings o WHERE o.employee_id = p.employee_id AND o.ended_at IS NULL
                 AND o.institution_id <> d.institution_id) THEN 'transferred'
    WHEN EXISTS (SELECT FROM listings o WHERE o.employee_id = p.employee_id AND o.ended_at IS NULL)
        THEN 'unlisted'
    ELSE 'left' END
FROM departures d
JOIN listings l ON l.institution_id = d.institution_id AND l.identifier_type = d.identifier_type
                AND l.ended_run_id = d.run_id
WHERE d.id = %(departure)s AND p.departure_id = d.id AND l.employee_id = p.employee_id

-- name: mark_leavers
WITH left_employees AS (
    UPDATE employees e SET left_at = now(), left_run_id = d.run_id, updated_at = now()
    FROM departures d
    JOIN departure_people p ON p.departure_id = d.id AND p.became = 'left'
    WHERE d.id = %(departure)s AND e.id = p.employee_id AND e.left_at IS NULL
), events AS (
    INSERT INTO employee_events (employee_id, kind, institution_id, identifier_type, run_id, departure_id,
                                 made_by)
    SELECT p.employee_id, p.became, d.institution_id, d.identifier_type, d.run_id, d.id, %(made_by)s
    FROM departures d
    JOIN departure_people p ON p.departure_id = d.id AND p.became IS NOT NULL
    WHERE d.id = %(departure)s ORDER BY p.employee_id
), counted AS (
    SELECT count(*) FILTER (WHERE became = 'left') AS leavers,
           count(*) FILTER (WHERE became = 'transferred') AS transfers
    FROM departure_people WHERE departure_id = %(departure)s
), departure AS (
    UPDATE departures d SET leavers = c.leavers, transfers = c.transfers
    FROM counted c WHERE d.id = %(departure)s RETURNING d.run_id, c.leavers, c.transfers
), progress AS (
    UPDATE run_progress g SET leavers = g.leavers + k.leavers FROM departure k WHERE g.run_id = k.run_id
)
SELECT leavers, transfers FROM departure

-- name: set_waiting
UPDATE run_progress SET leavers_waiting = %(count)s WHERE run_id = %(run)s

-- name: undo
-- Undoes what a departure did, as far as it still stands. The listings continue as if they had missed no run.
WITH reopened AS (
    UPDATE listings l
    SET ended_at = NULL, ended_run_id = NULL, missed_runs = 0, missed_since_run_id = NULL
    FROM departures d
    JOIN departure_people p ON p.departure_id = d.id
    WHERE d.id = %(departure)s AND l.institution_id = d.institution_id
      AND l.identifier_type = d.identifier_type AND l.employee_id = p.employee_id
      AND l.ended_run_id = d.run_id
    RETURNING l.employee_id
), restored AS (
    UPDATE employees e SET left_at = NULL, left_run_id = NULL, updated_at = now()
    FROM reopened r WHERE e.id = r.employee_id AND e.left_at IS NOT NULL
    RETURNING e.id
), events AS (
    INSERT INTO employee_events (employee_id, kind, institution_id, identifier_type, run_id, departure_id,
                                 made_by)
    SELECT r.employee_id, 'undone', d.institution_id, d.identifier_type, d.run_id, d.id, %(made_by)s
    FROM reopened r, departures d WHERE d.id = %(departure)s ORDER BY r.employee_id
), progress AS (
    UPDATE run_progress g SET leavers = greatest(g.leavers - d.leavers, 0)
    FROM departures d WHERE d.id = %(departure)s AND g.run_id = d.run_id
)
SELECT (SELECT count(*) FROM reopened), (SELECT count(*) FROM restored)

-- name: forget_misses
-- Resets the misses after a refusal: only further complete runs that miss these employees can lead to a new departure.
UPDATE listings l SET missed_runs = 0, missed_since_run_id = NULL
FROM departures d
JOIN departure_people p ON p.departure_id = d.id
WHERE d.id = %(departure)s AND l.institution_id = d.institution_id
  AND l.identifier_type = d.identifier_type AND l.employee_id = p.employee_id
  AND l.ended_at IS NULL AND l.missed_since_run_id = p.missed_since_run_id

-- name: select_departures
-- A caller adds the condition and the order.
SELECT d.id, d.institution_id, i.name AS institution, d.identifier_type, d.run_id, d.asked_by, d.state, d.why,
       d.listed, d.people, d.leavers, d.transfers, d.created_at, d.decided_by, d.decided_at, d.undone_by,
       d.undone_at, array(SELECT q.user_id FROM run_requesters q WHERE q.run_id = d.run_id) AS requester_ids,
       (SELECT count(*) FROM departure_people p
        WHERE p.departure_id = d.id AND p.became = 'unlisted') AS unlisted,
       EXISTS (SELECT FROM departure_people p
               JOIN listings l ON l.institution_id = d.institution_id
                   AND l.identifier_type = d.identifier_type AND l.employee_id = p.employee_id
               WHERE p.departure_id = d.id AND l.ended_run_id = d.run_id) AS is_in_effect,
       CASE WHEN d.state = 'waiting' THEN (
           SELECT count(*) FROM departure_people p
           JOIN listings l ON l.institution_id = d.institution_id AND l.identifier_type = d.identifier_type
               AND l.employee_id = p.employee_id AND l.missed_since_run_id = p.missed_since_run_id
           WHERE p.departure_id = d.id) ELSE d.people END AS missing
FROM departures d JOIN institutions i ON i.id = d.institution_id
