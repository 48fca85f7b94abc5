-- Saves the employees of one page. hrims/employees/store.py runs these statements in this order, in one transaction.

-- name: plan_by_index
-- A page must never read the whole table. With stale statistics the planner would: it chooses a hash join over all
-- employees for a hundred of them. So this transaction leaves it only the index on zan_id. JIT compilation would take
-- longer than the statements run. A new plan for each page would be no better, so use the generic plan.
SELECT set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
       set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)

-- name: save_rows
-- Saves a page in one statement, which reads each employee once. One snapshot decides where they work, who is new, who
-- differs, and who was not on this institution's list.
-- Returns the ids of all employees in page order. Returns how many were new, were changed, were added to the list, and
-- have no institution. Returns the ids of those on the list again after it had missed them. Returns whether a workplace
-- is unknown.
-- If a workplace is unknown, nothing was saved: add the workplaces and run the statement again. The id is null for an
-- employee that another run added after the snapshot. In that case only new employees were added; run the statement
-- again, so that it locks all others in key order.
WITH staged AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(people)s::json) AS s (
        position integer, zan_id text, {columns types})
), named AS MATERIALIZED (
    SELECT name, name_key(name) AS key
    FROM (SELECT DISTINCT current_workplace AS name FROM staged WHERE current_workplace IS NOT NULL) n
), unknown AS MATERIALIZED (
    SELECT name FROM named n WHERE NOT EXISTS (SELECT FROM workplaces w WHERE w.name_key = n.key)
), places AS MATERIALIZED (
    -- Lock them until the transaction ends. A user who maps a workplace meanwhile waits, and then moves these employees
    -- too.
    SELECT n.name, w.id, w.institution_id
    FROM named n
    JOIN workplaces w ON w.name_key = n.key
    WHERE NOT EXISTS (SELECT FROM unknown)
    ORDER BY w.id
    FOR SHARE OF w
), met AS MATERIALIZED (
    -- Look up the listing of each employee separately (LATERAL; OFFSET prevents its flattening). A join may be planned
    -- over the whole table.
    SELECT s.*, p.id AS workplace_id, p.institution_id, e.id,
           e.left_run_id IS NOT NULL AS gone, l.employee_id IS NOT NULL AS listed, coalesce(l.missed_runs > 0, false) AS again,
           e.id IS NOT NULL AND
           ({e.columns}) IS DISTINCT FROM ({s.columns}) AS differs
    FROM staged s
    LEFT JOIN places p ON p.name = s.current_workplace
    LEFT JOIN employees e ON e.zan_id = s.zan_id
    LEFT JOIN LATERAL (
        SELECT employee_id, missed_runs FROM listings
        WHERE institution_id = %(institution_id)s AND identifier_type = %(identifier_type)s
          AND employee_id = e.id
        OFFSET 0
    ) l ON true
    WHERE NOT EXISTS (SELECT FROM unknown)
), added AS (
    -- Insert in key order, so that two runs that meet the same employees wait for each other and do not deadlock.
    INSERT INTO employees (zan_id, {columns}, workplace_id, institution_id, first_run_id, last_changed_run_id)
    SELECT m.zan_id, {m.columns}, m.workplace_id, m.institution_id, %(run_id)s, %(run_id)s
    FROM met m WHERE m.id IS NULL
    ORDER BY m.zan_id
    ON CONFLICT (zan_id) DO NOTHING
    RETURNING id, zan_id
), all_known AS MATERIALIZED (
    -- One row if the snapshot has all employees, else none. Until then, locking employees could break the key order.
    SELECT WHERE (SELECT count(*) FROM added) = (SELECT count(*) FROM met WHERE id IS NULL)
), differing AS MATERIALIZED (
    -- Lock changed and returning employees in key order, after inserting new ones, then compare again under the lock.
    -- Unchanged rows are not written, so syncing unchanged data again writes no employee.
    SELECT m.*, to_jsonb(e) AS before, to_jsonb(m) AS after
    FROM met m
    JOIN employees e ON e.id = m.id
    WHERE (m.differs OR m.gone) AND EXISTS (SELECT FROM all_known)
    ORDER BY e.zan_id
    FOR NO KEY UPDATE OF e
), changes AS MATERIALIZED (
    -- A text that differs only in white space or in the form of its characters was saved before texts were cleaned.
    -- Rewrite it, but record no change (decision 0020).
    SELECT d.*, c.changes
    FROM differing d
    CROSS JOIN LATERAL (
        SELECT count(*) AS fields, jsonb_object_agg(b.key, jsonb_build_array(b.value, a.value))
            FILTER (WHERE clean_text(b.value #>> '{}') IS DISTINCT FROM clean_text(a.value #>> '{}')) AS changes
        FROM jsonb_each(d.before) b
        JOIN jsonb_each(d.after) a ON a.key = b.key
        WHERE b.value IS DISTINCT FROM a.value AND b.key NOT IN ('workplace_id', 'institution_id')
    ) c
    WHERE c.fields > 0
), recorded AS (
    INSERT INTO employee_changes (employee_id, run_id, changes)
    SELECT id, %(run_id)s, changes FROM changes WHERE changes IS NOT NULL
), changed AS (
    UPDATE employees e
    SET {columns = c.columns},
        workplace_id = c.workplace_id, institution_id = c.institution_id,
        last_changed_run_id = CASE WHEN c.changes IS NULL THEN e.last_changed_run_id ELSE %(run_id)s END,
        updated_at = now()
    FROM changes c
    WHERE e.id = c.id
    RETURNING c.changes
), listed AS (
    INSERT INTO listings (institution_id, identifier_type, employee_id, since_run_id)
    SELECT %(institution_id)s, %(identifier_type)s, p.id, %(run_id)s
    FROM (SELECT id, zan_id FROM added
          UNION ALL
          SELECT id, zan_id FROM met WHERE id IS NOT NULL AND NOT listed) p
    WHERE %(institution_id)s::bigint IS NOT NULL AND EXISTS (SELECT FROM all_known)
    ORDER BY p.zan_id
    ON CONFLICT (institution_id, identifier_type, employee_id) DO NOTHING
    RETURNING employee_id
), people AS (
    SELECT max(id) AS id, max(position) AS position, bool_or(again) AS again
    FROM (SELECT zan_id, id, position, again FROM met
          UNION ALL
          SELECT zan_id, id, NULL, NULL FROM added) saved
    GROUP BY zan_id
)
SELECT coalesce(array_agg(id ORDER BY position), '{}'), (SELECT count(*) FROM added),
       (SELECT count(changes) FROM changed), (SELECT count(*) FROM listed),
       (SELECT count(*) FROM met WHERE institution_id IS NULL),
       coalesce(array_agg(id) FILTER (WHERE again), '{}'), EXISTS (SELECT FROM unknown)
FROM people

-- name: add_workplaces
-- A name matches the register only in two ways. It equals an institution's name, ignoring case, spaces and punctuation
-- (name_key() is the one definition). Or a user has confirmed it as an alias. Similarity is never used. A name that the
-- register lacks waits for a user's decision.
-- A workplace keeps the first spelling that was met, even that of a record which becomes a reject at the end of the
-- pass. All its spellings are one workplace, so only the displayed name depends on it. A workplace that only such a
-- record names stays, without employees, like one that all employees have left.
INSERT INTO workplaces (name, institution_id, matched_by)
SELECT DISTINCT ON (name_key(n.name)) n.name, i.id, CASE WHEN i.id IS NOT NULL THEN 'name' END
FROM unnest(%(names)s::text[]) AS n(name)
LEFT JOIN institutions i ON i.name_key = name_key(n.name)
ORDER BY name_key(n.name), n.name
ON CONFLICT (name_key) DO NOTHING

-- name: list_again
-- Lists these employees again. Lock their rows first, so that no other list that ends now can make leavers of them
-- unnoticed. Returns the ids of those whose listing had ended, and null for the others.
WITH held AS MATERIALIZED (
    SELECT id FROM employees WHERE id = ANY(%(again)s) ORDER BY zan_id FOR KEY SHARE
)
UPDATE listings l
SET missed_runs = 0, missed_since_run_id = NULL, ended_at = NULL, ended_run_id = NULL,
    since_run_id = CASE WHEN l.ended_at IS NULL THEN l.since_run_id ELSE %(run_id)s END
FROM held h
WHERE l.institution_id = %(institution_id)s AND l.identifier_type = %(identifier_type)s
  AND l.employee_id = h.id AND l.missed_runs > 0
RETURNING CASE WHEN l.since_run_id = %(run_id)s THEN l.employee_id END

-- name: come_back
-- Ends the leaver status of employees who are on a list again. Run it after the lists were written, as a separate
-- statement. Only then does its snapshot include the result of a run that this one waited for.
WITH back AS (
    UPDATE employees SET left_at = NULL, left_run_id = NULL, updated_at = now()
    WHERE id = ANY(%(ids)s) AND left_run_id IS NOT NULL
    RETURNING id
)
INSERT INTO employee_events (employee_id, kind, institution_id, identifier_type, run_id)
SELECT id, 'came_back', %(institution_id)s, %(identifier_type)s, %(run_id)s FROM back
UNION ALL
SELECT id, 'listed_again', %(institution_id)s, %(identifier_type)s, %(run_id)s
FROM unnest(%(reopened)s::bigint[]) AS id WHERE id NOT IN (SELECT id FROM back)
