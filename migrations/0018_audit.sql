-- The audit trail: its records, the chain of their hashes, and the only functions that write both. Each record is
-- written in the transaction of what it records. It is chained after that transaction has committed, so that no writer
-- waits for another (decision 0026). docs/reference/audit.md states the format.
--
-- A function that runs with the owner's rights names `pg_catalog` before each function of PostgreSQL, and its arguments
-- have the exact types. Otherwise it would call a function of the schema whose types fit better (tests plant some).

CREATE TABLE audit_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    -- No foreign keys: a record never changes, whatever happens to the rows that it names.
    -- An unknown value is NULL, never an empty text, so that a CSV file says the same.
    user_id bigint,
    actor text NOT NULL CHECK (actor <> ''),
    role text CHECK (role <> ''),
    via text NOT NULL CHECK (via IN ('page', 'api', 'cli', 'schedule', 'worker', 'system')),
    token_id bigint,
    address inet,
    user_agent text CHECK (length(user_agent) BETWEEN 1 AND 300),
    request_id text CHECK (length(request_id) BETWEEN 1 AND 200),
    run_id bigint,
    institution_id bigint,
    action text NOT NULL CHECK (action ~ '^[a-z_]+(\.[a-z_]+)+$'),
    subject text CHECK (subject <> ''),
    before jsonb,
    after jsonb,
    reason text CHECK (reason <> ''),
    details jsonb NOT NULL
);
CREATE INDEX audit_log_at ON audit_log (at);
CREATE INDEX audit_log_subject ON audit_log (subject, id);
CREATE INDEX audit_log_actor ON audit_log (actor, id);
CREATE INDEX audit_log_action ON audit_log (action, id);
CREATE INDEX audit_log_user ON audit_log (user_id, id) WHERE user_id IS NOT NULL;
CREATE INDEX audit_log_run ON audit_log (run_id, id) WHERE run_id IS NOT NULL;
CREATE INDEX audit_log_institution ON audit_log (institution_id, id) WHERE institution_id IS NOT NULL;
CREATE INDEX audit_log_request ON audit_log (request_id, id) WHERE request_id IS NOT NULL;

-- The place of each record in the chain. A hash covers the hash before it and the digest of the record.
CREATE TABLE audit_chain (
    sequence bigint PRIMARY KEY CHECK (sequence > 0),
    record_id bigint NOT NULL CONSTRAINT audit_chain_record_once UNIQUE,
    digest bytea NOT NULL CHECK (length(digest) = 32),
    hash bytea NOT NULL CHECK (length(hash) = 32)
);

-- The records that are not chained yet. A row is there for a second, as long as a worker or a web process runs.
CREATE TABLE audit_pending (record_id bigint PRIMARY KEY);

-- Against mistakes of the owner. The application role has no right to alter these tables at all.
CREATE FUNCTION refuse_to_alter_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail is only ever added to' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_log_added_to_only BEFORE UPDATE OR DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION refuse_to_alter_audit();
CREATE TRIGGER audit_log_not_emptied BEFORE TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_alter_audit();
CREATE TRIGGER audit_chain_added_to_only BEFORE UPDATE OR DELETE ON audit_chain
    FOR EACH ROW EXECUTE FUNCTION refuse_to_alter_audit();
CREATE TRIGGER audit_chain_not_emptied BEFORE TRUNCATE ON audit_chain
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_alter_audit();

-- A column in the text that the digest covers. An empty column is left out, so that a later release can add columns.
CREATE FUNCTION audit_field(name text, value text) RETURNS text LANGUAGE sql IMMUTABLE
RETURN CASE WHEN value IS NULL THEN '' ELSE format(E'%s:%s:%s\n', name, octet_length(value), value) END;

-- A time in that text. Other years and infinity keep their own spelling, so that two times never have the same text.
CREATE FUNCTION audit_time(at timestamptz) RETURNS text LANGUAGE sql STABLE
RETURN CASE WHEN at BETWEEN '1000-01-01 00:00Z' AND '9999-01-01 00:00Z'
            THEN to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') ELSE at::text END;

-- The text that the digest of a record covers. hrims/audit/chain.py has the same for verification.
CREATE FUNCTION audit_text(r audit_log) RETURNS text LANGUAGE sql STABLE
RETURN concat(
    E'hrims-audit-1\n', audit_field('id', r.id::text), audit_field('at', audit_time(r.at)),
    audit_field('user_id', r.user_id::text), audit_field('actor', r.actor), audit_field('role', r.role),
    audit_field('via', r.via), audit_field('token_id', r.token_id::text),
    audit_field('address', abbrev(r.address)), audit_field('user_agent', r.user_agent),
    audit_field('request_id', r.request_id), audit_field('run_id', r.run_id::text),
    audit_field('institution_id', r.institution_id::text), audit_field('action', r.action),
    audit_field('subject', r.subject), audit_field('before', r.before::text), audit_field('after', r.after::text),
    audit_field('reason', r.reason), audit_field('details', r.details::text));

-- Writes a record and returns its id. The function sets the time, by the clock of the database.
CREATE FUNCTION audit_insert(
    actor text, via text, action text, subject text, details jsonb, user_id bigint DEFAULT NULL,
    role text DEFAULT NULL, token_id bigint DEFAULT NULL, address inet DEFAULT NULL, user_agent text DEFAULT NULL,
    request_id text DEFAULT NULL, run_id bigint DEFAULT NULL, institution_id bigint DEFAULT NULL,
    before jsonb DEFAULT NULL, after jsonb DEFAULT NULL, reason text DEFAULT NULL
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    new_id bigint;
BEGIN
    INSERT INTO audit_log (
        at, user_id, actor, role, via, token_id, address, user_agent, request_id, run_id, institution_id, action,
        subject, before, after, reason, details
    ) VALUES (
        pg_catalog.clock_timestamp(), audit_insert.user_id, audit_insert.actor, audit_insert.role, audit_insert.via,
        audit_insert.token_id, audit_insert.address, nullif(pg_catalog.left(audit_insert.user_agent, 300), ''),
        audit_insert.request_id, audit_insert.run_id, audit_insert.institution_id, audit_insert.action, audit_insert.subject,
        audit_insert.before, audit_insert.after, nullif(audit_insert.reason, ''), audit_insert.details
    ) RETURNING id INTO new_id;
    INSERT INTO audit_pending (record_id) VALUES (new_id);
    RETURN new_id;
END $$;

-- Chains committed records in the order of their ids, at most `batch`. Returns how many. A record that commits late
-- gets a later place. Only one session chains at a time; another returns 0 at once.
CREATE FUNCTION chain_audit_records(batch integer) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    last_sequence bigint;
    last_hash bytea;
    record_digest bytea;
    r audit_log;
    chained integer := 0;
BEGIN
    IF NOT EXISTS (SELECT FROM audit_pending)
       OR NOT pg_catalog.pg_try_advisory_xact_lock(pg_catalog.hashtextextended('hrims audit chain', 0)) THEN
        RETURN 0;
    END IF;
    -- This statement begins after the lock, so it sees what the previous session has chained.
    SELECT c.sequence, c.hash INTO last_sequence, last_hash FROM audit_chain c ORDER BY c.sequence DESC LIMIT 1;
    last_sequence := coalesce(last_sequence, 0);
    last_hash := coalesce(last_hash, pg_catalog.sha256('hrims-audit-1'));
    FOR r IN SELECT l.* FROM audit_pending p JOIN audit_log l ON l.id = p.record_id ORDER BY p.record_id LIMIT batch
    LOOP
        record_digest := pg_catalog.sha256(pg_catalog.convert_to(audit_text(r), 'UTF8'));
        last_sequence := last_sequence + 1;
        last_hash := pg_catalog.sha256(last_hash || record_digest);
        INSERT INTO audit_chain (sequence, record_id, digest, hash)
        VALUES (last_sequence, r.id, record_digest, last_hash);
        DELETE FROM audit_pending WHERE record_id = r.id;
        chained := chained + 1;
    END LOOP;
    RETURN chained;
END $$;

-- Writes a record about a run. Its body is bound to `audit_insert` now, not when it is called.
CREATE FUNCTION audit_run_record(
    r runs, process text, action text, subject text, details jsonb, before text, after text, reason text
) RETURNS void LANGUAGE sql
BEGIN ATOMIC
    SELECT audit_insert(process, process, action, subject, details, run_id => r.id, request_id => r.request_id,
        institution_id => r.institution_id, before => to_jsonb(before), after => to_jsonb(after), reason => reason);
END;

-- Records the start and the end of each run, in the transaction that starts or ends it. The trigger is deferred to the
-- end of that transaction, when all numbers of the run are final. It also records leavers that were made without a
-- decision. All ways to end a run are covered: the worker, the rescuer, a user who cancels, a deadline.
CREATE FUNCTION audit_run() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    p run_progress;
    d departures;
    process text := CASE WHEN pg_catalog.current_setting('application_name') LIKE 'hrims worker %'
                         THEN 'worker' ELSE 'system' END;
    run text := pg_catalog.concat('run:', NEW.id);
    started jsonb := pg_catalog.jsonb_build_object(
        'kind', NEW.kind, 'attempt', NEW.attempt, 'requested_by', NEW.requested_by);
BEGIN
    IF NEW.finished_at IS NULL THEN
        PERFORM audit_run_record(
            NEW, process, 'run.start'::text, run, started, NULL::text, NULL::text, NULL::text);
        RETURN NULL;
    END IF;
    SELECT * INTO p FROM run_progress WHERE run_id = NEW.id;
    PERFORM audit_run_record(
        NEW, process, 'run.end'::text, run, started || pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
            'outcome', NEW.outcome, 'people', NEW.people, 'missing', NEW.missing, 'pages', p.pages,
            'fetched', p.fetched, 'new', p.new, 'changed', p.changed, 'unchanged', p.unchanged,
            'rejected', p.rejected, 'unmatched', p.unmatched, 'leavers', p.leavers,
            'leavers_waiting', p.leavers_waiting)),
        OLD.state, NEW.state, CASE WHEN NEW.state = 'failed' THEN NEW.trouble_code END);
    FOR d IN SELECT * FROM departures WHERE run_id = NEW.id AND state = 'applied' ORDER BY id LOOP
        PERFORM audit_run_record(
            NEW, process, 'leavers.apply'::text, pg_catalog.concat('leavers:', d.id),
            pg_catalog.jsonb_build_object('leavers', d.leavers), NULL::text, NULL::text, NULL::text);
    END LOOP;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER runs_audit AFTER UPDATE OF state ON runs
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.state <> 'active' AND NEW.state = 'active' OR OLD.finished_at IS NULL AND NEW.finished_at IS NOT NULL)
    EXECUTE FUNCTION audit_run();

-- Functions that run with the owner's rights find only the tables of this schema, never a temporary one.
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION audit_insert SET search_path = %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION chain_audit_records SET search_path = %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION audit_run SET search_path = %I, pg_temp', current_schema());
END $$;
REVOKE EXECUTE ON FUNCTION audit_insert, chain_audit_records, audit_run, audit_run_record FROM PUBLIC;

-- The whole trail, for people and programs that query the database. A record without a sequence is not chained yet.
CREATE VIEW audit_v AS
SELECT c.sequence, l.id, l.at, l.user_id, l.actor AS "user", l.role, l.via, l.token_id, l.address, l.user_agent,
       l.request_id, l.run_id AS job_id, l.institution_id, l.action, l.subject AS object, l.before, l.after, l.reason,
       l.details, encode(c.digest, 'hex') AS digest, encode(c.hash, 'hex') AS hash
FROM audit_log l LEFT JOIN audit_chain c ON c.record_id = l.id;
