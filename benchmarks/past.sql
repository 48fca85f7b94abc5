-- Many past runs over eight years, each with its job and two pages. Triggers are disabled: nothing is notified.
SET session_replication_role = replica;
INSERT INTO runs (institution_id, identifier_type, identifier, page_size, state, outcome, requested_by, requested_via,
                  requester_id, requested_at, started_at, finished_at, people, seen_twice, missing, attempt, queue_job_id)
SELECT 1 + mod(n, 39), 'votecode', '001', 100,
       CASE WHEN mod(n, 10) = 0 THEN 'failed' ELSE 'completed' END, CASE WHEN mod(n, 10) <> 0 THEN 'complete' END,
       'asha', 'page', 1, t.at, t.at, t.at + interval '1 minute', 100, 0, 0, 1, n
FROM generate_series(1, %(runs)s) n
CROSS JOIN LATERAL (SELECT now() - (%(runs)s - n) * interval '8 years' / %(runs)s AS at) t;
INSERT INTO run_progress (run_id) SELECT id FROM runs;
INSERT INTO run_attempts (run_id, number, host, pid, ended_at, ended_as, log)
SELECT id, 1, 'host', 1, finished_at, CASE state WHEN 'failed' THEN 'failed' ELSE 'finished' END, '{begins,ends}'
FROM runs;
INSERT INTO run_pages (run_id, reading, page_size, page_number, attempt, remote_total, records, people)
SELECT id, 1, 100, page, 1, 200, 100, '{1,2,3,4,5,6,7,8,9,10}' FROM runs, generate_series(0, 1) page;
INSERT INTO procrastinate_jobs (queue_name, task_name, status, args)
SELECT 'sync', 'sync.run', CASE WHEN state = 'failed' THEN 'failed' ELSE 'succeeded' END::procrastinate_job_status,
       jsonb_build_object('run_id', id)
FROM runs ORDER BY id;
INSERT INTO procrastinate_events (job_id, type, at)
SELECT j.id, 'succeeded', r.finished_at
FROM procrastinate_jobs j JOIN runs r ON r.id = (j.args ->> 'run_id')::bigint;
SET session_replication_role = origin;
