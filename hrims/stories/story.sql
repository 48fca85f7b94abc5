-- The story of one request id.

-- name: story
-- The id finds batches, runs and audit records by an index; everything else is found by the runs.
WITH run AS MATERIALIZED (
    SELECT * FROM runs WHERE request_id = %(id)s
), event (at, source, text) AS (
    SELECT requested_at, 'batch', format('batch %%s requested by %%s, via %%s', id, requested_by, requested_via)
    FROM batches WHERE request_id = %(id)s
    UNION ALL
    SELECT l.at, 'audit', format('%%s of %%s by %%s, via %%s', l.action, coalesce(l.subject, 'the product'), l.actor, l.via)
    FROM audit_log l WHERE l.request_id = %(id)s
    UNION ALL
    SELECT r.requested_at, 'run', format('run %%s (%%s) requested by %%s, via %%s: %%s', r.id, r.kind, r.requested_by,
                                         r.requested_via, coalesce(i.name, 'one person'))
    FROM run r LEFT JOIN institutions i ON i.id = r.institution_id
    UNION ALL
    SELECT j.at, 'job', format('job %%s of run %%s: %%s', r.queue_job_id, r.id, j.type)
    FROM run r JOIN procrastinate_events j ON j.job_id = r.queue_job_id
    UNION ALL
    SELECT a.started_at, 'attempt', format('attempt %%s of run %%s started on %%s, process %%s', a.number, r.id, a.host, a.pid)
    FROM run r JOIN run_attempts a ON a.run_id = r.id
    UNION ALL
    -- The lines of an attempt begin with their time and are in their order; the worker wrote them.
    SELECT coalesce(substring(l.line FROM '^[0-9T:.+-]{19,32}')::timestamptz, a.started_at), 'worker', regexp_replace(l.line, '^[0-9T:.+-]{19,32} ', '')
    FROM run r JOIN run_attempts a ON a.run_id = r.id CROSS JOIN unnest(a.log) AS l(line)
    UNION ALL
    SELECT a.ended_at, 'attempt', format('attempt %%s of run %%s ended: %%s', a.number, r.id,
                                         concat_ws(', ', a.ended_as, a.trouble_code))
    FROM run r JOIN run_attempts a ON a.run_id = r.id WHERE a.ended_at IS NOT NULL
    UNION ALL
    SELECT r.finished_at, 'run', format('run %%s ended: %%s', r.id,
               concat_ws(', ', r.state, r.outcome, r.people || ' people', r.trouble_code))
    FROM run r WHERE r.finished_at IS NOT NULL
    UNION ALL
    SELECT t.at, 'webhook', format('message %%s of run %%s, try %%s: %%s', m.key, r.id, t.number,
                                   coalesce(t.status::text, t.trouble))
    FROM run r JOIN webhook_messages m ON m.run_id = r.id JOIN webhook_tries t ON t.message_id = m.id
)
SELECT at, source, text FROM event ORDER BY at, source <> 'batch', source <> 'run'
