-- Finds the employees of a list whose absence a complete run proves. Used by hrims/leavers and hrims/previews.

-- name: absent
-- Continues a WITH that has ``run`` (id, institution_id, identifier_type, counted) and ``unmet`` (id, zan_id, name,
-- payroll_number and others). ``unmet`` are the employees of the list that the run did not meet.
-- ``absent`` are the unmet employees who cannot be one of the rejects. A reject with a usable ZanID is that employee.
-- Any other reject can be any of the unmet employees; the number of such rejects does not show which of them.
-- Exception: one earlier pass of the list met the employee and had the same rejects. A record that is identified by its
-- position is never known to be the same record.
, named AS MATERIALIZED (
    SELECT r.masked, r.record_key FROM rejects r JOIN run ON r.run_id = run.id
    WHERE r.code NOT IN ('no_zan_id', 'bad_zan_id', 'shared_zan_id') AND r.masked ~ '^[0-9]{2}•{4,6}[0-9]{2}$'
), unnamed AS MATERIALIZED (
    SELECT key, max(records) AS records FROM (
        SELECT r.reading, count(*) AS records, CASE WHEN r.record_key <> record_key(
                   'place:' || (r.page_size::bigint * r.page_number + r.position)) THEN r.record_key END AS key
        FROM rejects r JOIN run ON r.run_id = run.id AND r.reading = ANY(run.counted)
        WHERE r.code IN ('no_zan_id', 'bad_zan_id', 'shared_zan_id')
           OR r.masked IS NULL OR r.masked !~ '^[0-9]{2}•{4,6}[0-9]{2}$'
        GROUP BY 1, 3
    ) AS of_reading GROUP BY key
), recent AS MATERIALIZED (
    SELECT b.id, b.counted[1] AS reading FROM run
    JOIN LATERAL (
        SELECT id, counted FROM runs
        WHERE institution_id = run.institution_id AND identifier_type = run.identifier_type AND id < run.id
          AND state = 'completed' AND kind IN ('sync', 'apply') AND outcome IN ('complete', 'complete_after_repair')
        ORDER BY id DESC LIMIT 100) b ON true
    WHERE EXISTS (SELECT FROM unnamed)
), alike AS MATERIALIZED (
    SELECT t.id, t.reading FROM (
        SELECT b.id, b.reading, r.record_key AS key, count(*) AS records
        FROM recent b JOIN rejects r ON r.run_id = b.id AND r.reading = b.reading GROUP BY 1, 2, 3
    ) t JOIN unnamed n ON n.key = t.key AND n.records <= t.records
    GROUP BY 1, 2 HAVING count(*) = (SELECT count(*) FROM unnamed)
), beside AS MATERIALIZED (
    SELECT DISTINCT met.id FROM alike
    JOIN run_pages p ON p.run_id = alike.id AND p.reading = alike.reading
    CROSS JOIN unnest(p.people) AS met(id)
), absent AS MATERIALIZED (
    SELECT u.* FROM unmet u
    WHERE NOT (masked_key(u.zan_id) IN (SELECT masked FROM named) AND EXISTS (
            SELECT FROM named n WHERE n.masked = masked_key(u.zan_id)
            AND (n.record_key IS NULL OR n.record_key = record_key('zan_id:' || u.zan_id))))
      AND (NOT EXISTS (SELECT FROM unnamed)
           OR (u.id IN (SELECT id FROM beside)
               AND coalesce(record_key('payroll:' || u.payroll_number || ' ' || coalesce(u.name, ''))
                            NOT IN (SELECT key FROM unnamed WHERE key IS NOT NULL), true)))
)

-- name: count_unnamed
-- Counts the rejects of a run that can be any employee.
SELECT count(*) FROM rejects r JOIN runs ON runs.id = r.run_id AND r.reading = runs.counted[1]
WHERE r.run_id = %(run)s
  AND (r.code IN ('no_zan_id', 'bad_zan_id', 'shared_zan_id')
       OR r.masked IS NULL OR r.masked !~ '^[0-9]{2}•{4,6}[0-9]{2}$')
