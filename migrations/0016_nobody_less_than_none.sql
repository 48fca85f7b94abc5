-- Where HRIMS lists more people than it counts, nobody is missing: how many more there are has its own number.

CREATE OR REPLACE VIEW runs_v AS
SELECT r.id AS job_id, i.name AS institution, r.institution_id, r.identifier_type,
       CASE WHEN r.kind = 'person' THEN masked_key(r.identifier) ELSE r.identifier END AS identifier,
       r.page_size, r.state, r.outcome, r.attempt, r.requested_by, r.requested_via,
       r.requested_at, r.started_at, r.finished_at, r.next_try_at,
       p.remote_total, p.pages AS pages_fetched, p.fetched AS total_fetched,
       coalesce(r.people, p.saved) AS employee_count, CASE WHEN r.missing < 0 THEN 0 ELSE r.missing END AS missing,
       coalesce(r.seen_twice, p.repeated) AS seen_twice,
       p.new, p.changed, p.unchanged, p.rejected, p.unmatched, r.trouble, r.trouble_code, r.kind,
       p.leavers, p.leavers_waiting, CASE WHEN r.missing < 0 THEN -r.missing WHEN r.missing >= 0 THEN 0 END AS surplus
FROM runs r
LEFT JOIN institutions i ON i.id = r.institution_id
JOIN run_progress p ON p.run_id = r.id;

CREATE OR REPLACE VIEW webhook_runs AS
SELECT r.id, jsonb_build_object(
    'type', 'run.' || r.state,
    'timestamp', webhook_time(r.finished_at),
    'data', jsonb_build_object(
        'jobId', r.id::text, 'kind', r.kind, 'state', r.state, 'outcome', r.outcome,
        'success', coalesce(r.outcome <> 'incomplete', false),
        'institutionId', r.institution_id, 'institutionName', coalesce(i.name, 'One person'),
        'identifierType', r.identifier_type,
        'requestedAt', webhook_time(r.requested_at), 'startedAt', webhook_time(r.started_at),
        'finishedAt', webhook_time(r.finished_at),
        'statusUrl', '/api/hrims/job-status/' || r.id,
        'employeeCount', r.people,
        'missing', CASE WHEN r.missing < 0 THEN 0 ELSE r.missing END,
        'surplus', CASE WHEN r.missing < 0 THEN -r.missing WHEN r.missing >= 0 THEN 0 END,
        'skippedCount', p.rejected + coalesce(r.seen_twice, p.repeated),
        'totalFetched', p.fetched, 'pagesFetched', p.pages,
        'fetchTime', round(p.fetch_ms / 1000.0, 3), 'saveTime', round(p.save_ms / 1000.0, 3),
        'totalTime', round(extract(epoch FROM r.finished_at - r.started_at), 3)
    ) || jsonb_build_object(
        'new', p.new, 'changed', p.changed, 'unchanged', p.unchanged, 'rejected', p.rejected,
        'unmatched', p.unmatched, 'leavers', p.leavers, 'leaversWaiting', p.leavers_waiting,
        'code', CASE WHEN r.state <> 'completed' THEN coalesce(r.trouble_code, r.state) END,
        'trouble', CASE WHEN r.state <> 'cancelled' THEN r.trouble END
    )) AS payload
FROM runs r JOIN run_progress p ON p.run_id = r.id LEFT JOIN institutions i ON i.id = r.institution_id
WHERE r.finished_at IS NOT NULL;

-- Two ways past the rule that people stand where they work (migration 0013): emptying the table at once, and a
-- look at the people as they were before somebody else's transaction.
CREATE OR REPLACE FUNCTION refuse_to_remove_workplace_of_people() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'remove workplaces in a transaction that is READ COMMITTED: only there is it seen who came'
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    IF EXISTS (SELECT FROM employees WHERE workplace_id = OLD.id) THEN
        RAISE EXCEPTION 'people work at workplace %', OLD.id USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN OLD;
END $$;

CREATE FUNCTION refuse_to_empty_workplaces_of_people() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM employees WHERE workplace_id IS NOT NULL) THEN
        RAISE EXCEPTION 'people work at these workplaces' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER workplaces_are_not_emptied AFTER TRUNCATE ON workplaces
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_empty_workplaces_of_people();
