-- Two runs of an institution, the earlier one first: the people that each run met, and what changed in between.

-- name: plan_by_index
-- Look up people one by one, even if the planner misestimates the size of the tables. OFFSET keeps it from joining the
-- whole table instead.
SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)

-- name: sides
WITH met AS (
    -- The people met in a counted pass. The time is that of the last save, in any pass.
    SELECT p.run_id, u.id, max(p.saved_at) AS at,
           bool_or(r.counted IS NULL OR p.reading = ANY(r.counted)) AS counts
    FROM run_pages p JOIN runs r ON r.id = p.run_id, unnest(p.people) AS u(id)
    WHERE p.run_id IN (%(a)s, %(b)s) GROUP BY p.run_id, u.id
), sides AS MATERIALIZED (
    SELECT id, bool_or(run_id = %(a)s) AS in_a, bool_or(run_id = %(b)s) AS in_b,
           max(at) FILTER (WHERE run_id = %(a)s) AS a_at, max(at) FILTER (WHERE run_id = %(b)s) AS b_at
    FROM met WHERE counts GROUP BY id
), fields AS MATERIALIZED (
    -- The changes after the earlier run saved a person and until the later run did: the first old value, the last new
    -- one. A field that returned to its old value did not change.
    SELECT s.id, f.key AS field, (array_agg(f.value -> 0 ORDER BY c.id))[1] AS was,
           (array_agg(f.value -> 1 ORDER BY c.id DESC))[1] AS became
    FROM sides s
    JOIN LATERAL (
        SELECT c.id, c.changes FROM employee_changes c
        WHERE c.employee_id = s.id AND c.changed_at > s.a_at AND c.changed_at <= s.b_at OFFSET 0
    ) c ON true
    CROSS JOIN LATERAL jsonb_each(c.changes) f
    WHERE s.in_a AND s.in_b
    GROUP BY s.id, f.key
    HAVING (array_agg(f.value -> 0 ORDER BY c.id))[1]
        IS DISTINCT FROM (array_agg(f.value -> 1 ORDER BY c.id DESC))[1]
)

-- name: count
SELECT (SELECT count(DISTINCT id)::int FROM fields),
       count(*) FILTER (WHERE NOT in_b)::int, count(*) FILTER (WHERE NOT in_a)::int,
       count(*) FILTER (WHERE in_a AND in_b)::int
FROM sides

-- name: people
SELECT e.zan_id, e.name, e.cadre, e.current_workplace, e.status, i.name,
       -- A person whose record the other run met and rejected has not gone.
       EXISTS (SELECT FROM rejects r
               WHERE r.run_id = CASE WHEN s.in_a THEN %(b)s ELSE %(a)s END AND NOT (s.in_a AND s.in_b)
                 AND r.record_key = record_key('zan_id:' || e.zan_id))
FROM sides s
JOIN LATERAL (SELECT * FROM employees e WHERE e.id = s.id OFFSET 0) e
    ON in_scope(e.institution_id, %(scope)s) OR person_in_scope(e.id, NULL, %(scope)s)
LEFT JOIN institutions i ON i.id = e.institution_id
WHERE CASE %(kind)s WHEN 'only_a' THEN NOT s.in_b WHEN 'only_b' THEN NOT s.in_a ELSE s.in_a AND s.in_b END
ORDER BY e.zan_id LIMIT %(limit)s OFFSET %(skip)s

-- name: changed
SELECT e.zan_id, e.name, c.changes
FROM (SELECT id, jsonb_object_agg(field, jsonb_build_array(was, became)) AS changes
      FROM fields GROUP BY id) c
JOIN LATERAL (SELECT * FROM employees e WHERE e.id = c.id OFFSET 0) e
    ON in_scope(e.institution_id, %(scope)s) OR person_in_scope(e.id, NULL, %(scope)s)
ORDER BY e.zan_id LIMIT %(limit)s OFFSET %(skip)s

-- name: count_hidden
-- Count the people of a kind that the lists omit because they are outside the scope.
SELECT count(*)::int
FROM sides s
JOIN LATERAL (SELECT * FROM employees e WHERE e.id = s.id OFFSET 0) e
    ON NOT person_in_scope(e.id, e.institution_id, %(scope)s)
WHERE CASE %(kind)s WHEN 'changed' THEN s.id IN (SELECT id FROM fields)
                    WHEN 'only_a' THEN NOT s.in_b WHEN 'only_b' THEN NOT s.in_a ELSE s.in_a AND s.in_b END
