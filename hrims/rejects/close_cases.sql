-- Ends the cases of records that came right. Run by hrims/rejects/store.py when a run has ended.

-- name: close_what_was_not_met
-- Only after a run that has read everybody: what it did not meet again is no more.
UPDATE reject_cases c SET closed_at = now(), closed_run_id = %(run)s
WHERE c.institution_id = %(institution)s AND c.identifier_type = %(type)s AND c.closed_at IS NULL
  AND NOT EXISTS (
    SELECT FROM rejects r
    WHERE r.run_id = %(run)s AND r.reading = ANY(%(readings)s) AND r.record_key = c.record_key)

-- name: close_what_was_kept
-- After any other run, only what it has seen right with its own eyes: the record's person was kept; or, of a
-- record that goes by its place, that place was read without a reject while the listing was as long as then
-- (one that shifted has another record there, which proves nothing).
WITH open AS MATERIALIZED (
    SELECT c.id, c.record_key, c.by_place, c.place, c.remote_total FROM reject_cases c
    WHERE c.institution_id = %(institution)s AND c.identifier_type = %(type)s AND c.closed_at IS NULL
      AND NOT EXISTS (
        SELECT FROM rejects r
        WHERE r.run_id = %(run)s AND r.reading = ANY(%(readings)s) AND r.record_key = c.record_key)
), secret AS (
    SELECT s.value FROM app_secrets s WHERE s.name = 'reject_key'
), kept AS MATERIALIZED (
    -- The same texts as in identity.py; nobody is digested when no case is open.
    SELECT sha256(convert_to(secret.value || ':' || whose, 'UTF8')) AS record_key
    FROM run_pages p
    CROSS JOIN unnest(p.people) AS person(id)
    JOIN employees e ON e.id = person.id
    CROSS JOIN secret
    CROSS JOIN LATERAL (VALUES ('zan_id:' || e.zan_id),
                               ('payroll:' || e.payroll_number || ' ' || coalesce(e.name, ''))) AS t(whose)
    WHERE p.run_id = %(run)s AND whose IS NOT NULL AND EXISTS (SELECT FROM open)
), right_now AS (
    SELECT o.id FROM open o
    WHERE o.record_key IN (SELECT k.record_key FROM kept k)
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
FROM right_now r WHERE c.id = r.id

-- name: tell_what_became
-- A run that was cancelled and tried again later may find a case closed by another run: it is right all the same.
UPDATE run_cases rc
SET became = CASE WHEN c.closed_at IS NOT NULL THEN 'right'
                  WHEN c.last_run_id = %(run)s THEN 'rejected'
                  ELSE 'not_found' END
FROM reject_cases c WHERE rc.run_id = %(run)s AND c.id = rc.case_id
