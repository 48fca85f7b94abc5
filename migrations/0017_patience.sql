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

-- Whether a run ended before its time and left what it had saved until then.
CREATE OR REPLACE VIEW runs_v AS
SELECT r.id AS job_id, i.name AS institution, r.institution_id, r.identifier_type,
       CASE WHEN r.kind = 'person' THEN masked_key(r.identifier) ELSE r.identifier END AS identifier,
       r.page_size, r.state, r.outcome, r.attempt, r.requested_by, r.requested_via,
       r.requested_at, r.started_at, r.finished_at, r.next_try_at,
       p.remote_total, p.pages AS pages_fetched, p.fetched AS total_fetched,
       coalesce(r.people, p.saved) AS employee_count, CASE WHEN r.missing < 0 THEN 0 ELSE r.missing END AS missing,
       coalesce(r.seen_twice, p.repeated) AS seen_twice,
       p.new, p.changed, p.unchanged, p.rejected, p.unmatched, r.trouble, r.trouble_code, r.kind,
       p.leavers, p.leavers_waiting,
       CASE WHEN r.missing < 0 THEN -r.missing WHEN r.missing >= 0 THEN 0 END AS surplus,
       r.state IN ('failed', 'cancelled') AND r.kind <> 'preview' AND p.saved > 0 AS partial
FROM runs r
LEFT JOIN institutions i ON i.id = r.institution_id
JOIN run_progress p ON p.run_id = r.id;
