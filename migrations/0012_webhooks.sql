-- Webhooks: the endpoints that are told of the end of runs, the messages to them, and every try to deliver one.

CREATE TABLE webhook_endpoints (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    url text NOT NULL CHECK (url ~ '^https?://[^[:space:]]+$' AND length(url) <= 2000),
    description text NOT NULL DEFAULT '' CHECK (length(description) <= 200),
    -- The key that signs messages, encrypted by hrims.vault. Before that it was 24 to 64 bytes in clear.
    secret bytea CHECK (length(secret) BETWEEN 24 AND 1000),
    active boolean NOT NULL DEFAULT true,
    -- Why the product switched the endpoint off. NULL if a user did.
    off_because text CHECK (off_because <> ''),
    made_by text NOT NULL CHECK (made_by <> ''),
    made_at timestamptz NOT NULL DEFAULT now(),
    -- A removed endpoint is hidden at once and has no secret. Its messages and then its row are deleted in small steps.
    removed_at timestamptz,
    CONSTRAINT webhook_endpoints_say_why_when_off CHECK (NOT active OR off_because IS NULL),
    CONSTRAINT webhook_endpoints_removed_are_off CHECK (NOT active OR removed_at IS NULL),
    CONSTRAINT webhook_endpoints_removed_keep_no_secret CHECK ((secret IS NULL) = (removed_at IS NOT NULL))
);

CREATE TABLE webhook_messages (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- The id that receivers see. It is the same for every try, so that they can drop repeats.
    key text NOT NULL DEFAULT 'msg_' || replace(gen_random_uuid()::text, '-', '')
        CONSTRAINT webhook_messages_key_once UNIQUE CHECK (key ~ '^msg_[0-9a-f]{32}$'),
    endpoint_id bigint NOT NULL REFERENCES webhook_endpoints ON DELETE CASCADE,
    run_id bigint REFERENCES runs ON DELETE SET NULL,
    event text NOT NULL CHECK (event IN
        ('run.completed', 'run.failed', 'run.cancelled', 'webhook.test', 'audit.head')),
    -- The exact body of the message. It holds no personal data.
    payload jsonb NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'failed')),
    -- Tries that failed since the message was last queued.
    failures integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
    queue_job_id bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    next_try_at timestamptz,
    ended_at timestamptz,
    -- The latest trouble, in words.
    trouble text,
    CONSTRAINT webhook_messages_ended CHECK ((state = 'waiting') = (ended_at IS NULL)),
    CONSTRAINT webhook_messages_try_while_waiting CHECK (state = 'waiting' OR next_try_at IS NULL)
);
CREATE INDEX webhook_messages_endpoint ON webhook_messages (endpoint_id, id DESC);
CREATE INDEX webhook_messages_run ON webhook_messages (run_id) WHERE run_id IS NOT NULL;
CREATE INDEX webhook_messages_waiting ON webhook_messages (endpoint_id, id) WHERE state = 'waiting';
CREATE INDEX webhook_messages_failed ON webhook_messages (endpoint_id) WHERE state = 'failed';
CREATE INDEX webhook_messages_heads ON webhook_messages (endpoint_id, created_at) WHERE event = 'audit.head';
CREATE INDEX webhook_messages_old ON webhook_messages (ended_at) WHERE state <> 'waiting';

CREATE TABLE webhook_tries (
    message_id bigint NOT NULL REFERENCES webhook_messages ON DELETE CASCADE,
    number integer NOT NULL CHECK (number > 0),
    at timestamptz NOT NULL,
    -- The receiver's status code, or why there was no answer.
    status smallint CHECK (status BETWEEN 100 AND 999),
    trouble text CHECK (trouble <> ''),
    milliseconds integer NOT NULL CHECK (milliseconds >= 0),
    PRIMARY KEY (message_id, number),
    CONSTRAINT webhook_tries_came_to_something CHECK (status IS NOT NULL OR trouble IS NOT NULL)
);

-- Queues the job of a message in the transaction that writes the message.
CREATE FUNCTION queue_webhook_message() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.queue_job_id := (procrastinate_defer_jobs_v1(ARRAY[
        ROW('webhooks', 'webhooks.deliver', 0, NULL, NULL, jsonb_build_object('message_id', NEW.id), NULL)
        ::procrastinate_job_to_defer_v1]))[1];
    RETURN NEW;
END $$;
CREATE TRIGGER webhook_messages_queued BEFORE INSERT ON webhook_messages
    FOR EACH ROW EXECUTE FUNCTION queue_webhook_message();
-- An update of queue_job_id to NULL queues a message again that is sent again or has lost its job.
CREATE TRIGGER webhook_messages_queued_again BEFORE UPDATE OF queue_job_id ON webhook_messages
    FOR EACH ROW WHEN (NEW.queue_job_id IS NULL) EXECUTE FUNCTION queue_webhook_message();

CREATE FUNCTION webhook_time(at timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;

-- The payload of a run: its numbers and the institution, as job-status answers them, without personal data.
CREATE VIEW webhook_runs AS
SELECT r.id, jsonb_build_object(
    'type', 'run.' || r.state,
    'timestamp', webhook_time(r.finished_at),
    'data', jsonb_build_object(
        'jobId', r.id::text, 'requestId', r.request_id, 'kind', r.kind, 'state', r.state, 'outcome', r.outcome,
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
        'listedTwice', CASE WHEN r.state = 'completed' THEN p.repeated END,
        'fewerThanLastComplete', greatest(r.last_complete_people - r.people, 0),
        'pageFinding', r.page_finding,
        'code', CASE WHEN r.state <> 'completed' THEN coalesce(r.trouble_code, r.state) END,
        'trouble', CASE WHEN r.state <> 'cancelled' THEN r.trouble END
    )) AS payload
FROM runs r JOIN run_progress p ON p.run_id = r.id LEFT JOIN institutions i ON i.id = r.institution_id
WHERE r.finished_at IS NOT NULL;

-- Writes the messages of a run's end in the transaction that ends the run. The trigger is deferred to the end of that
-- transaction, when all numbers of the run are final.
CREATE FUNCTION insert_webhook_messages() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- The lock keeps a removal of the endpoint from undoing the run's end.
    INSERT INTO webhook_messages (endpoint_id, run_id, event, payload)
    SELECT e.id, r.id, r.payload ->> 'type', r.payload
    FROM (SELECT id FROM webhook_endpoints WHERE active ORDER BY id FOR KEY SHARE) e
    CROSS JOIN webhook_runs r WHERE r.id = NEW.id;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER runs_insert_webhook_messages AFTER UPDATE OF state ON runs
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.finished_at IS NULL AND NEW.finished_at IS NOT NULL)
    EXECUTE FUNCTION insert_webhook_messages();
