-- How much patience a run gets: for this run, else as its institution says, else as the workers' settings say. What
-- its institution said when the run was asked for holds until it ends.

ALTER TABLE institutions
    ADD COLUMN attempts integer CHECK (attempts BETWEEN 1 AND 50),
    ADD COLUMN attempt_pause double precision CHECK (attempt_pause BETWEEN 0 AND 3600),
    ADD COLUMN deadline_minutes integer CHECK (deadline_minutes BETWEEN 1 AND 43200);

ALTER TABLE runs
    ADD COLUMN attempts integer CHECK (attempts BETWEEN 1 AND 50),
    ADD COLUMN attempt_pause double precision CHECK (attempt_pause BETWEEN 0 AND 3600),
    ADD COLUMN deadline_minutes integer CHECK (deadline_minutes BETWEEN 1 AND 43200),
    -- Counted from when the run was asked for, and anew when it is tried again.
    ADD COLUMN deadline_at timestamptz;
CREATE INDEX runs_deadline ON runs (deadline_at) WHERE state IN ('waiting', 'delayed', 'active');

-- What an attempt did: where it stopped for administrators, without anybody's data, and its last lines of log.
ALTER TABLE run_attempts
    ADD COLUMN traceback text CHECK (length(traceback) <= 20000),
    ADD COLUMN log text[] NOT NULL DEFAULT '{}' CHECK (cardinality(log) <= 200),
    -- Lines that came before those.
    ADD COLUMN log_left_out integer NOT NULL DEFAULT 0 CHECK (log_left_out >= 0);
