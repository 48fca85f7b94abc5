-- Opens, refreshes and closes the cases of rejects. Run by hrims/rejects/store.py.

-- name: upsert_cases
-- Insert in key order: pages of a run commit at the same time, and one record can be on two of them. A record that a run
-- meets twice is counted once, at the position where it was met last.
INSERT INTO reject_cases AS c (institution_id, identifier_type, record_key, by_place, code, field, reason,
    masked, page_size, page_number, position, remote_total, first_run_id, last_run_id, name, payroll_number,
    workplace)
SELECT DISTINCT ON (r.record_key) %(institution)s, %(type)s, r.record_key,
       r.record_key = record_key('place:' || (r.page_size::bigint * r.page_number + r.position)),
       r.code, r.field, r.reason, r.masked, r.page_size, r.page_number, r.position, p.remote_total,
       %(run)s, %(run)s, r.name, r.payroll_number, r.workplace
FROM unnest(%(readings)s::smallint[], %(sizes)s::integer[], %(numbers)s::integer[])
    AS met (reading, page_size, page_number)
JOIN run_pages p ON p.run_id = %(run)s AND p.reading = met.reading AND p.page_size = met.page_size
    AND p.page_number = met.page_number
JOIN rejects r ON r.run_id = %(run)s AND r.reading = met.reading AND r.page_size = met.page_size
    AND r.page_number = met.page_number
WHERE r.record_key IS NOT NULL
ORDER BY r.record_key, p.saved_at DESC, p.reading DESC, r.position
ON CONFLICT (institution_id, identifier_type, record_key) DO UPDATE
SET by_place = EXCLUDED.by_place, code = EXCLUDED.code, field = EXCLUDED.field, reason = EXCLUDED.reason,
    masked = EXCLUDED.masked, page_size = EXCLUDED.page_size, page_number = EXCLUDED.page_number,
    position = EXCLUDED.position, remote_total = EXCLUDED.remote_total, last_run_id = EXCLUDED.last_run_id,
    last_seen_at = now(), times = c.times + (c.last_run_id <> EXCLUDED.last_run_id)::int,
    closed_at = NULL, closed_run_id = NULL, name = EXCLUDED.name, payroll_number = EXCLUDED.payroll_number,
    workplace = EXCLUDED.workplace

-- name: close_unmet
-- Only after a run that read the whole list: a reject that it did not meet again no longer exists.
UPDATE reject_cases c SET closed_at = now(), closed_run_id = %(run)s
WHERE c.institution_id = %(institution)s AND c.identifier_type = %(type)s AND c.closed_at IS NULL
  AND NOT EXISTS (
    SELECT FROM rejects r
    WHERE r.run_id = %(run)s AND r.reading = ANY(%(readings)s) AND r.record_key = c.record_key)

-- name: close_saved
-- After any other run, closes only the cases that the run itself proves right. Either the record's employee was saved.
-- Or the record is identified by its position, and that position was read without a reject while the list had the same
-- total as then. If the list has shifted, another record has that position, which proves nothing.
WITH open AS MATERIALIZED (
    SELECT c.id, c.record_key, c.by_place, c.place, c.remote_total FROM reject_cases c
    WHERE c.institution_id = %(institution)s AND c.identifier_type = %(type)s AND c.closed_at IS NULL
      AND NOT EXISTS (
        SELECT FROM rejects r
        WHERE r.run_id = %(run)s AND r.reading = ANY(%(readings)s) AND r.record_key = c.record_key)
), secret AS (
    SELECT s.value FROM app_secrets s WHERE s.name = 'reject_key'
), saved AS MATERIALIZED (
    -- The same texts as in identity.py. If no case is open, no employee is digested.
    SELECT sha256(convert_to(secret.value || ':' || whose, 'UTF8')) AS record_key
    FROM run_pages p
    CROSS JOIN unnest(p.people) AS person(id)
    JOIN employees e ON e.id = person.id
    CROSS JOIN secret
    CROSS JOIN LATERAL (VALUES ('zan_id:' || e.zan_id),
                               ('payroll:' || e.payroll_number || ' ' || coalesce(e.name, ''))) AS t(whose)
    WHERE p.run_id = %(run)s AND whose IS NOT NULL AND EXISTS (SELECT FROM open)
), corrected AS (
    SELECT o.id FROM open o
    WHERE o.record_key IN (SELECT k.record_key FROM saved k)
       OR (o.by_place AND EXISTS (
            SELECT FROM run_pages p
            WHERE p.run_id = %(run)s AND p.remote_total = o.remote_total
              AND p.page_size::bigint * p.page_number <= o.place
              AND o.place < p.page_size::bigint * p.page_number + p.records)
           AND NOT EXISTS (
            SELECT FROM rejects r
            WHERE r.run_id = %(run)s AND r.page_size::bigint * r.page_number + r.position = o.place))
)
UPDATE reject_cases c SET closed_at = now(), closed_run_id = %(run)s
FROM corrected r WHERE c.id = r.id

-- name: save_results
-- If a run was cancelled and retried later, another run may have closed a case meanwhile: that case counts as right.
UPDATE run_cases rc
SET became = CASE WHEN c.closed_at IS NOT NULL THEN 'right'
                  WHEN c.last_run_id = %(run)s THEN 'rejected'
                  ELSE 'not_found' END
FROM reject_cases c WHERE rc.run_id = %(run)s AND c.id = rc.case_id
