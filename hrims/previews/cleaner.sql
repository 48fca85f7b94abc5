-- Empties previews, so that personal data does not accumulate: first marks them, then deletes their employees in small
-- batches.

-- name: empty
-- Deletes the ZanIDs in a preview's checkpoint and the employees' data in its rejects.
WITH emptied AS (
    UPDATE runs SET emptied_at = now(), emptied_why = %(why)s
    WHERE id = %(run)s AND kind = 'preview' AND emptied_at IS NULL RETURNING id
), masked AS (
    UPDATE rejects r SET name = NULL, payroll_number = NULL, workplace = NULL
    FROM emptied WHERE r.run_id = emptied.id
)
UPDATE run_pages p SET people = '{}', record_digests = '{}', fingerprint = NULL FROM emptied WHERE p.run_id = emptied.id

-- name: find_expired
SELECT r.id FROM runs r
WHERE r.kind = 'preview' AND r.emptied_at IS NULL AND r.finished_at < now() - make_interval(days => %(days)s)
  AND NOT EXISTS (SELECT FROM runs a WHERE a.of_run_id = r.id AND a.kind = 'apply'
                  AND a.state IN ('waiting', 'delayed', 'active'))
ORDER BY r.finished_at LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED

-- name: find_emptied
-- Goes from one preview to the next by the index, regardless of the number of employees in each.
WITH RECURSIVE there (run_id) AS (
    (SELECT run_id FROM preview_people ORDER BY run_id LIMIT 1)
    UNION ALL
    SELECT (SELECT p.run_id FROM preview_people p WHERE p.run_id > there.run_id ORDER BY p.run_id LIMIT 1)
    FROM there WHERE there.run_id IS NOT NULL
)
SELECT r.id FROM there JOIN runs r ON r.id = there.run_id WHERE r.emptied_at IS NOT NULL LIMIT 1

-- name: delete_people
DELETE FROM preview_people WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM preview_people WHERE run_id = %(run)s LIMIT %(limit)s FOR UPDATE SKIP LOCKED))
