-- A run: one request to bring one institution up to date, from the click to its outcome.

CREATE TABLE runs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    institution_id bigint NOT NULL REFERENCES institutions,
    identifier_type text NOT NULL CHECK (identifier_type IN ('votecode', 'tin')),
    identifier text NOT NULL CHECK (identifier <> ''),
    page_size integer NOT NULL CHECK (page_size BETWEEN 1 AND 500),
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN
        ('waiting', 'delayed', 'active', 'completed', 'failed', 'cancelled')),
    outcome text CHECK (outcome IN ('complete', 'complete_after_repair', 'incomplete')),
    -- The fence: every attempt takes the next number, and every page transaction checks it.
    attempt integer NOT NULL DEFAULT 0 CHECK (attempt >= 0),
    -- Attempts that failed since the run was last given a full set.
    failures integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
    -- Attempts whose worker died since then.
    rescues integer NOT NULL DEFAULT 0 CHECK (rescues >= 0),
    queue_job_id bigint,
    requested_by text NOT NULL CHECK (requested_by <> ''),
    requested_via text NOT NULL CHECK (requested_via IN ('page', 'api', 'command', 'system')),
    requested_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz,
    next_try_at timestamptz,
    -- The latest trouble, in words for an HR officer.
    trouble text,
    trouble_code text,
    -- Counted when the run ended: people distinct over the whole run.
    people integer CHECK (people >= 0),
    seen_twice integer CHECK (seen_twice >= 0),
    missing integer,
    CONSTRAINT runs_ended CHECK
        ((state IN ('completed', 'failed', 'cancelled')) = (finished_at IS NOT NULL)),
    CONSTRAINT runs_outcome_when_completed CHECK ((state = 'completed') = (outcome IS NOT NULL)),
    CONSTRAINT runs_counted_when_completed CHECK
        (state <> 'completed' OR (people IS NOT NULL AND seen_twice IS NOT NULL AND missing IS NOT NULL)),
    CONSTRAINT runs_complete_misses_nobody CHECK
        (outcome NOT IN ('complete', 'complete_after_repair') OR missing = 0)
);
-- One run an institution at a time: the second click gets the first one's run.
CREATE UNIQUE INDEX runs_one_under_way ON runs (institution_id)
    WHERE state IN ('waiting', 'delayed', 'active');
CREATE INDEX runs_institution ON runs (institution_id, id DESC);
CREATE INDEX runs_under_way ON runs (id) WHERE state IN ('waiting', 'delayed', 'active');
CREATE UNIQUE INDEX runs_queue_job ON runs (queue_job_id) WHERE queue_job_id IS NOT NULL;

-- What changes with every page: one narrow row a run, kept apart so that updates stay on its page.
CREATE TABLE run_progress (
    run_id bigint PRIMARY KEY REFERENCES runs ON DELETE CASCADE,
    phase text NOT NULL DEFAULT 'fetching' CHECK (phase IN ('fetching', 'saving')),
    current_page integer NOT NULL DEFAULT 0,
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
    updated_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 40);

-- The checkpoint: the pages of a run that are saved, each with its people by position.
CREATE TABLE run_pages (
    run_id bigint NOT NULL REFERENCES runs ON DELETE CASCADE,
    page_size integer NOT NULL CHECK (page_size BETWEEN 1 AND 500),
    page_number integer NOT NULL CHECK (page_number >= 0),
    attempt integer NOT NULL,
    remote_total integer NOT NULL CHECK (remote_total >= 0),
    records integer NOT NULL CHECK (records BETWEEN 0 AND page_size),
    -- employees.id of every person kept from this page, in the remote's order; rejects are not here.
    people bigint[] NOT NULL,
    saved_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run_id, page_size, page_number)
);

-- A record that could not be kept, with its reason. No personal data beyond a masked value.
CREATE TABLE rejects (
    run_id bigint NOT NULL,
    page_size integer NOT NULL,
    page_number integer NOT NULL,
    position integer NOT NULL CHECK (position >= 0),
    code text NOT NULL CHECK (code ~ '^[a-z_]+$'),
    field text,
    reason text NOT NULL,
    masked text,
    PRIMARY KEY (run_id, page_size, page_number, position),
    FOREIGN KEY (run_id, page_size, page_number) REFERENCES run_pages ON DELETE CASCADE
);

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
    PRIMARY KEY (run_id, number),
    CONSTRAINT run_attempts_ended CHECK ((ended_at IS NULL) = (ended_as IS NULL))
);

-- Whoever watches a run is told that it changed; the number alone travels.
CREATE FUNCTION tell_run_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'runs' THEN
        PERFORM pg_notify('hrims_run', NEW.id::text);
    ELSE
        PERFORM pg_notify('hrims_run', NEW.run_id::text);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER runs_tell AFTER INSERT OR UPDATE ON runs
    FOR EACH ROW EXECUTE FUNCTION tell_run_changed();
CREATE TRIGGER run_progress_tell AFTER UPDATE ON run_progress
    FOR EACH ROW EXECUTE FUNCTION tell_run_changed();

-- A run that ended stays as it ended, except that one which failed or was cancelled may be tried again.
CREATE FUNCTION refuse_to_reopen_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'run % is % and cannot become %', OLD.id, OLD.state, NEW.state
        USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER runs_completed_stay BEFORE UPDATE OF state ON runs
    FOR EACH ROW WHEN (OLD.state = 'completed' AND NEW.state <> 'completed')
    EXECUTE FUNCTION refuse_to_reopen_run();
