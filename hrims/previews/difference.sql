-- Calculates what a preview would change: compares its employees with the employees as they are now. ``count``,
-- ``people``, ``missing`` and ``unmatched`` continue ``difference``, so that all of them have the same view.

-- name: plan_by_index
-- Read employees by their index, whatever the planner estimates about the size of the tables.
SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)

-- name: difference
WITH run AS (
    SELECT id, institution_id, identifier_type, coalesce(counted, '{1,2,3,4}') AS counted
    FROM runs WHERE id = %(run)s
), kept AS MATERIALIZED (
    -- An employee that was met on several pages has the data of the page that was saved last, as in a sync. Copies that
    -- a sync would undo at the end of the pass have the data of the record that stays (hrims/sync/repeats).
    SELECT DISTINCT ON (s.zan_id) s.*
    FROM preview_people s
    JOIN run_pages p USING (run_id, reading, page_size, page_number)
    WHERE s.run_id = %(run)s
    ORDER BY s.zan_id, p.saved_at DESC, p.reading DESC, p.page_size::bigint * p.page_number DESC, s.position
), places AS MATERIALIZED (
    -- A name that is no workplace yet would be added as one, and matched by the register's names.
    SELECT n.name, CASE WHEN w.id IS NULL THEN i.id ELSE w.institution_id END AS institution_id
    FROM (SELECT DISTINCT current_workplace AS name FROM kept WHERE current_workplace IS NOT NULL) n
    LEFT JOIN workplaces w ON w.name_key = name_key(n.name)
    LEFT JOIN institutions i ON i.name_key = name_key(n.name)
), compared AS MATERIALIZED (
    SELECT k.zan_id, k.name, k.cadre, k.current_workplace, k.status,
           l.institution_id AS to_institution, e.institution_id AS from_institution,
           CASE WHEN e.id IS NULL THEN 'new' WHEN t.is_told THEN 'changed' ELSE 'unchanged' END AS kind,
           e.id IS NOT NULL AND e.institution_id IS DISTINCT FROM l.institution_id AS moves,
           e.left_at IS NOT NULL AS returns,
           -- Saved employees outside the scope are counted only: their changes show their current data.
           -- in_scope() is inlined: with all institutions, the function is called for no row.
           e.id IS NULL OR in_scope(e.institution_id, %(scope)s) OR person_in_scope(e.id, NULL, %(scope)s) AS is_visible,
           -- Part of the version: the current data of the employees that would change.
           CASE WHEN t.is_told THEN md5(({e.columns})::text) END AS was
    FROM kept k
    -- One lookup per employee: OFFSET prevents the planner from joining the whole table.
    LEFT JOIN LATERAL (SELECT * FROM employees e WHERE e.zan_id = k.zan_id OFFSET 0) e ON true
    LEFT JOIN places l ON l.name = k.current_workplace
    CROSS JOIN LATERAL (
        SELECT e.id IS NOT NULL AND
               ({e.columns}) IS DISTINCT FROM ({k.columns}) AS differs
    ) d
    CROSS JOIN LATERAL (
        -- A difference only in white space or in the form of characters is no change, as in a sync.
        SELECT CASE WHEN d.differs THEN EXISTS (
            SELECT FROM jsonb_each_text(to_jsonb(e)) b JOIN jsonb_each_text(to_jsonb(k)) a ON a.key = b.key
            WHERE clean_text(b.value) IS DISTINCT FROM clean_text(a.value)) ELSE false END AS is_told
    ) t
), unmet AS MATERIALIZED (
    -- Employees of this list that no pass met. As at the end of a run, hrims/employees/absence.sql decides which of
    -- them are absent.
    SELECT e.id, e.zan_id, e.name, e.payroll_number, e.cadre, e.current_workplace, e.status
    FROM run
    JOIN listings l ON l.institution_id = run.institution_id AND l.identifier_type = run.identifier_type
    JOIN LATERAL (SELECT * FROM employees e WHERE e.id = l.employee_id OFFSET 0) e ON true
    WHERE l.ended_at IS NULL
      AND NOT EXISTS (SELECT FROM preview_people s WHERE s.run_id = run.id AND s.zan_id = e.zan_id)
)

-- name: count
-- The version is a digest of all that the difference shows: if it is the same, so is the difference.
SELECT count(*) FILTER (WHERE kind = 'new')::int, count(*) FILTER (WHERE kind = 'changed')::int,
       count(*) FILTER (WHERE kind = 'unchanged')::int, count(*) FILTER (WHERE moves)::int,
       count(*) FILTER (WHERE returns)::int, (SELECT count(*)::int FROM absent),
       count(*) FILTER (WHERE to_institution IS NULL)::int,
       (SELECT count(*)::int FROM rejects r, run
        WHERE r.run_id = run.id AND r.reading = run.counted[1]),
       md5(concat(
           string_agg(md5(ROW(zan_id, kind, from_institution, to_institution, returns, was)::text), ''
                      ORDER BY zan_id),
           (SELECT string_agg(zan_id, ',' ORDER BY zan_id) FROM absent)))
       || '-' ||
       md5(coalesce((SELECT string_agg(ROW(name, institution_id)::text, ',' ORDER BY name) FROM places), ''))
FROM compared

-- name: people
SELECT c.zan_id, c.name, c.cadre, c.current_workplace, c.status, d.changes, f.name, i.name, c.moves
FROM (
    SELECT * FROM compared
    WHERE CASE %(kind)s WHEN 'transfers' THEN moves WHEN 'returning' THEN returns ELSE kind = %(kind)s END
      AND is_visible
    ORDER BY zan_id LIMIT %(limit)s OFFSET %(skip)s
) c
LEFT JOIN institutions f ON f.id = c.from_institution
LEFT JOIN institutions i ON i.id = c.to_institution
CROSS JOIN LATERAL (
    SELECT jsonb_object_agg(b.key, jsonb_build_array(b.value, a.value)) AS changes
    FROM employees e, kept k, jsonb_each(to_jsonb(e)) b, jsonb_each(to_jsonb(k)) a
    WHERE e.zan_id = c.zan_id AND k.zan_id = c.zan_id AND a.key = b.key
      AND clean_text(b.value #>> '{}') IS DISTINCT FROM clean_text(a.value #>> '{}')
) d
ORDER BY c.zan_id

-- name: count_hidden
-- Count the people of a kind that ``people`` omits because they are outside the scope.
SELECT count(*)::int FROM compared
WHERE CASE %(kind)s WHEN 'transfers' THEN moves WHEN 'returning' THEN returns ELSE kind = %(kind)s END
  AND NOT is_visible

-- name: missing
-- All are in the scope of a user who may see the run, because its institution lists them.
SELECT zan_id, name, cadre, current_workplace, status
FROM absent ORDER BY zan_id LIMIT %(limit)s OFFSET %(skip)s

-- name: unmatched
SELECT current_workplace, count(*)::int
FROM compared WHERE to_institution IS NULL
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %(limit)s OFFSET %(skip)s

-- name: rejected
SELECT r.page_size::bigint * r.page_number + r.position + 1 AS record, r.code, r.field, r.reason, r.masked,
       r.name, r.payroll_number, r.workplace
FROM rejects r JOIN runs ON runs.id = r.run_id
WHERE r.run_id = %(run)s AND r.reading = coalesce(runs.counted[1], 1)
ORDER BY record LIMIT %(limit)s OFFSET %(skip)s
