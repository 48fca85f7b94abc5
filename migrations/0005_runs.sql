-- Runs: each is one request to bring one institution up to date, from the request to its outcome.

CREATE TABLE runs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    institution_id bigint REFERENCES institutions,
    identifier_type text NOT NULL CHECK (identifier_type IN ('votecode', 'tin', 'person')),
    identifier text NOT NULL CHECK (identifier <> ''),
    page_size integer NOT NULL CHECK (page_size BETWEEN 1 AND 500),
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN
        ('waiting', 'delayed', 'active', 'completed', 'failed', 'cancelled')),
    outcome text CHECK (outcome IN ('complete', 'complete_after_repair', 'incomplete')),
    -- The fence: every attempt takes the next number, and every page transaction checks it.
    attempt integer NOT NULL DEFAULT 0 CHECK (attempt >= 0),
    -- Attempts that failed since the run last got its full number of tries.
    failures integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
    -- Attempts since then whose worker died.
    rescues integer NOT NULL DEFAULT 0 CHECK (rescues >= 0),
    queue_job_id bigint,
    requested_by text NOT NULL CHECK (requested_by <> ''),
    requested_via text NOT NULL CHECK (requested_via IN ('page', 'api', 'cli', 'schedule', 'system')),
    -- The user who requested or retried the run last, also through a token or a schedule. The worker checks the rights
    -- of this user again. Only runs of the system have none.
    requester_id bigint REFERENCES users,
    requester_token_id bigint REFERENCES tokens,
    requested_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz,
    next_try_at timestamptz,
    -- The latest trouble, in words for an HR officer.
    trouble text,
    trouble_code text,
    -- Counted at the end of the run: the distinct employees of the whole run.
    people integer CHECK (people >= 0),
    seen_twice integer CHECK (seen_twice >= 0),
    -- Negative if HRIMS lists more employees than it counts.
    missing integer,
    -- A sync updates a listing. A preview fetches it to be looked at. An apply saves a preview (of_run_id).
    -- A run of the kind 'rejected' requests the pages with rejects again. 'person' requests one employee.
    kind text NOT NULL DEFAULT 'sync'
        CHECK (kind IN ('sync', 'preview', 'apply', 'rejected', 'person')),
    of_run_id bigint REFERENCES runs,
    -- The readings whose employees were counted when the run ended.
    counted smallint[],
    -- Of a preview: the difference at its end. Of an apply: the difference that a user approved.
    version text CHECK (version <> ''),
    -- When and why a preview deleted what it kept.
    emptied_at timestamptz,
    emptied_why text CHECK (emptied_why IN ('applied', 'thrown_away', 'too_old')),
    -- A more urgent run starts first, then the one that was requested first. The job in the queue has the same priority
    -- as a number (hrims/jobs/rate_limit/priorities.py).
    priority text NOT NULL DEFAULT 'normal'
        CHECK (priority IN ('urgent', 'normal', 'low')),
    -- The limits of its tries: of this run, else of its institution, else of the workers' settings. The values of the
    -- institution are copied at the request and stay until the run ends.
    attempts integer CHECK (attempts BETWEEN 1 AND 50),
    attempt_pause double precision CHECK (attempt_pause BETWEEN 0 AND 3600),
    deadline_minutes integer CHECK (deadline_minutes BETWEEN 1 AND 43200),
    -- Counted from the request, and again from a new try of an ended run.
    deadline_at timestamptz,
    pool text,
    -- The run starts neither before this time nor in its quiet hours.
    not_before timestamptz,
    quiet_from time,
    quiet_until time,
    quiet_zone text,
    -- From this time on the details of the run are not kept: its pages, its rejects, and the logs of its attempts.
    pruned_at timestamptz,
    -- The deletion of the details is not finished.
    pruning boolean NOT NULL DEFAULT false,
    -- The page size that this run found to work, and the finding in words. NULL while the requested one works.
    fitted_page_size integer CHECK (fitted_page_size BETWEEN 1 AND 500),
    page_finding text CHECK (page_finding <> ''),
    -- The span that requested the run (W3C traceparent), from which the trace of its attempts continues.
    traceparent text CHECK (length(traceparent) <= 100),
    -- The id of the request that requested or retried the run, by which its whole story is found.
    request_id text CHECK (request_id ~ '^[A-Za-z0-9._-]{1,64}$'),
    -- Counted at the end of the run: the employees of the last complete run of the same list.
    last_complete_people integer CHECK (last_complete_people >= 0),
    CONSTRAINT runs_have_a_requester CHECK (requested_via = 'system' OR requester_id IS NOT NULL),
    CONSTRAINT runs_ended CHECK
        ((state IN ('completed', 'failed', 'cancelled')) = (finished_at IS NOT NULL)),
    CONSTRAINT runs_outcome_when_completed CHECK ((state = 'completed') = (outcome IS NOT NULL)),
    CONSTRAINT runs_counted_when_completed CHECK
        (state <> 'completed' OR (people IS NOT NULL AND seen_twice IS NOT NULL AND missing IS NOT NULL)),
    CONSTRAINT runs_complete_misses_none CHECK
        (outcome NOT IN ('complete', 'complete_after_repair') OR missing = 0),
    CONSTRAINT runs_one_person_or_one_institution CHECK
        ((kind = 'person') = (institution_id IS NULL) AND (kind = 'person') = (identifier_type = 'person')),
    CONSTRAINT runs_applies_a_preview CHECK ((kind = 'apply') = (of_run_id IS NOT NULL)),
    CONSTRAINT runs_emptied_are_previews_that_ended CHECK
        (emptied_at IS NULL OR (kind = 'preview' AND finished_at IS NOT NULL)),
    CONSTRAINT runs_emptied_say_why CHECK ((emptied_at IS NULL) = (emptied_why IS NULL)),
    CONSTRAINT runs_quiet_hours CHECK (
        (quiet_from IS NULL) = (quiet_until IS NULL) AND (quiet_from IS NULL) = (quiet_zone IS NULL)
        AND quiet_from <> quiet_until),
    CONSTRAINT runs_pruned_have_ended CHECK (pruned_at IS NULL OR finished_at IS NOT NULL),
    CONSTRAINT runs_fitted_page_size_says_why CHECK ((fitted_page_size IS NULL) = (page_finding IS NULL))
);
-- An institution has one run at a time: a second request gets the run of the first.
CREATE UNIQUE INDEX runs_one_under_way ON runs (institution_id)
    WHERE state IN ('waiting', 'delayed', 'active');
-- So does a ZanID that is requested alone.
CREATE UNIQUE INDEX runs_one_person_under_way ON runs (identifier)
    WHERE kind = 'person' AND state IN ('waiting', 'delayed', 'active');
CREATE INDEX runs_institution ON runs (institution_id, id DESC);
-- Finds the last result of an institution, however many runs have failed since.
CREATE INDEX runs_last_completed ON runs (institution_id, id DESC)
    WHERE state = 'completed' AND kind IN ('sync', 'apply');
CREATE INDEX runs_request ON runs (request_id) WHERE request_id IS NOT NULL;
CREATE INDEX runs_requester ON runs (requester_id, id DESC) WHERE requester_id IS NOT NULL;
CREATE INDEX runs_under_way ON runs (id) WHERE state IN ('waiting', 'delayed', 'active');
CREATE UNIQUE INDEX runs_queue_job ON runs (queue_job_id) WHERE queue_job_id IS NOT NULL;
CREATE INDEX runs_deadline ON runs (deadline_at) WHERE state IN ('waiting', 'delayed', 'active');
CREATE INDEX runs_quiet ON runs (quiet_from, quiet_until, quiet_zone)
    WHERE quiet_from IS NOT NULL AND state IN ('waiting', 'delayed', 'active');
-- Finds the few runs among a million that did not end well.
CREATE INDEX runs_went_wrong ON runs ((coalesce(outcome, state)), id DESC)
    WHERE coalesce(outcome, state) IN ('incomplete', 'failed', 'cancelled');
CREATE INDEX runs_to_prune ON runs (finished_at) WHERE finished_at IS NOT NULL AND pruned_at IS NULL;
CREATE INDEX runs_pruning ON runs (id) WHERE pruning;

-- Every user who requested, joined or retried a run. None of them approves what follows from it.
CREATE TABLE run_requesters (
    run_id bigint NOT NULL REFERENCES runs ON DELETE CASCADE,
    user_id bigint NOT NULL REFERENCES users,
    PRIMARY KEY (run_id, user_id)
);
CREATE FUNCTION add_run_requester() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO run_requesters (run_id, user_id) VALUES (NEW.id, NEW.requester_id) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER runs_add_requester AFTER INSERT OR UPDATE OF requester_id ON runs
    FOR EACH ROW WHEN (NEW.requester_id IS NOT NULL) EXECUTE FUNCTION add_run_requester();

-- The numbers that change with every page. The row is narrow and has room on its disk page for updates.
CREATE TABLE run_progress (
    run_id bigint PRIMARY KEY REFERENCES runs ON DELETE CASCADE,
    phase text NOT NULL DEFAULT 'fetching' CHECK (phase IN ('fetching', 'saving')),
    remote_total integer CHECK (remote_total >= 0),
    pages integer NOT NULL DEFAULT 0,
    fetched integer NOT NULL DEFAULT 0,
    saved integer NOT NULL DEFAULT 0,
    new integer NOT NULL DEFAULT 0,
    changed integer NOT NULL DEFAULT 0,
    unchanged integer NOT NULL DEFAULT 0,
    rejected integer NOT NULL DEFAULT 0,
    repeated integer NOT NULL DEFAULT 0,
    unmatched integer NOT NULL DEFAULT 0,
    fetch_ms bigint NOT NULL DEFAULT 0,
    save_ms bigint NOT NULL DEFAULT 0,
    note text,
    updated_at timestamptz NOT NULL DEFAULT now(),
    leavers integer NOT NULL DEFAULT 0 CHECK (leavers >= 0),
    leavers_waiting integer NOT NULL DEFAULT 0 CHECK (leavers_waiting >= 0),
    -- Employees that a pass saved before it started again with another page size.
    saved_before integer NOT NULL DEFAULT 0 CHECK (saved_before >= 0),
    -- The most records that HRIMS sent or counted in an answer that could not be saved. They contradict a total of 0.
    unsaved_total integer NOT NULL DEFAULT 0 CHECK (unsaved_total >= 0),
    -- Employees that a complete run did not meet and that may be among its rejects. They are neither met nor missed.
    unproven integer NOT NULL DEFAULT 0 CHECK (unproven >= 0)
) WITH (fillfactor = 40);

-- The checkpoint: the saved pages of a run.
CREATE TABLE run_pages (
    run_id bigint NOT NULL REFERENCES runs ON DELETE CASCADE,
    page_size integer NOT NULL CHECK (page_size BETWEEN 1 AND 500),
    page_number integer NOT NULL CHECK (page_number >= 0),
    attempt integer NOT NULL,
    remote_total integer NOT NULL CHECK (remote_total >= 0),
    records integer NOT NULL CHECK (records BETWEEN 0 AND page_size),
    -- employees.id of each record that was saved, in HRIMS' order. A ZanID that occurs twice on the page is here twice.
    people bigint[] NOT NULL,
    saved_at timestamptz NOT NULL DEFAULT now(),
    -- A page is read again if the sum does not add up. Reading 2 reads the edges between pages.
    -- Readings 1, 3 and 4 read all pages.
    reading smallint NOT NULL DEFAULT 1 CHECK (reading BETWEEN 1 AND 4),
    -- A digest of the ZanIDs on the page, NULL for fewer than two. Two equal digests in a reading are no valid answer.
    fingerprint bytea CHECK (length(fingerprint) = 16),
    -- The counts of drift: the size of the sample, the counts by name, and {"unknown" | "retyped": {path: records}}.
    sampled smallint,
    odd jsonb,
    counts jsonb,
    -- A digest of each record in people, in the same order. The high half is of the identity: name, birth date and
    -- payroll number. The low half is of the whole row.
    record_digests bigint[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (run_id, reading, page_size, page_number)
);
COMMENT ON COLUMN run_pages.counts IS
    'filled: people with each column; present: sampled records with each field. An absent name was not counted.';

-- One row for each execution of a run's job.
CREATE TABLE run_attempts (
    run_id bigint NOT NULL REFERENCES runs ON DELETE CASCADE,
    number integer NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    host text NOT NULL,
    pid integer NOT NULL,
    ended_as text CHECK (ended_as IN
        ('finished', 'failed', 'cancelled', 'handed_back', 'worker_died', 'superseded')),
    trouble text,
    trouble_code text,
    -- For administrators: where the attempt stopped, and its last lines of log. Neither holds personal data.
    traceback text CHECK (length(traceback) <= 20000),
    log text[] NOT NULL DEFAULT '{}' CHECK (cardinality(log) <= 200),
    -- Lines of log before those.
    log_left_out integer NOT NULL DEFAULT 0 CHECK (log_left_out >= 0),
    PRIMARY KEY (run_id, number),
    CONSTRAINT run_attempts_ended CHECK ((ended_at IS NULL) = (ended_as IS NULL))
);

-- Notifies all listeners of a changed run. The message is the run's number.
CREATE FUNCTION notify_run_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'runs' THEN
        PERFORM pg_notify('hrims_run', NEW.id::text);
    ELSE
        PERFORM pg_notify('hrims_run', NEW.run_id::text);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER runs_notify_change AFTER INSERT OR UPDATE ON runs
    FOR EACH ROW EXECUTE FUNCTION notify_run_changed();
CREATE TRIGGER run_progress_notify_change AFTER UPDATE ON run_progress
    FOR EACH ROW EXECUTE FUNCTION notify_run_changed();

-- Ends of runs since the beginning, for the metrics. Each end adds a row, so that transactions do not wait for each
-- other. The cleaner merges the rows of equal ends into one. A run that is tried again and ends again counts twice.
CREATE TABLE run_end_counts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    outcome text NOT NULL,
    -- The code of the trouble of a run that failed or is incomplete, else ''.
    cause text NOT NULL,
    runs bigint NOT NULL CHECK (runs > 0)
);
CREATE FUNCTION count_run_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO run_end_counts (kind, outcome, cause, runs)
    VALUES (NEW.kind, coalesce(NEW.outcome, NEW.state),
            CASE WHEN coalesce(NEW.outcome, NEW.state) IN ('failed', 'incomplete')
                 THEN coalesce(NEW.trouble_code, '') ELSE '' END, 1);
    RETURN NULL;
END $$;
CREATE TRIGGER runs_count_end AFTER UPDATE OF finished_at ON runs
    FOR EACH ROW WHEN (OLD.finished_at IS NULL AND NEW.finished_at IS NOT NULL)
    EXECUTE FUNCTION count_run_end();

-- A completed run stays completed. A run that failed or was cancelled can be tried again.
CREATE FUNCTION check_run_is_not_reopened() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'run % is % and cannot become %', OLD.id, OLD.state, NEW.state
        USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER runs_completed_stay BEFORE UPDATE OF state ON runs
    FOR EACH ROW WHEN (OLD.state = 'completed' AND NEW.state <> 'completed')
    EXECUTE FUNCTION check_run_is_not_reopened();

-- The last result of an institution: its newest completed run of a whole listing. Newer runs that failed, were
-- cancelled or wait do not hide it.
CREATE FUNCTION last_completed(institution bigint)
RETURNS TABLE (last_run_id bigint, last_outcome text, last_people integer, last_finished_at timestamptz)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT r.id, r.outcome, r.people, r.finished_at FROM runs r
    WHERE r.institution_id = institution AND r.state = 'completed' AND r.kind IN ('sync', 'apply')
    ORDER BY r.id DESC LIMIT 1;
END;
