-- Pages of a run at the same time, and read again where the first reading does not add up.

-- What a run does: brings a listing up to date; fetches it to be looked at; applies what was looked at
-- (of_run_id says which); asks again for the pages with rejects; asks for one person.
ALTER TABLE runs
    ADD COLUMN kind text NOT NULL DEFAULT 'sync'
        CHECK (kind IN ('sync', 'preview', 'apply', 'rejected', 'person')),
    ADD COLUMN of_run_id bigint REFERENCES runs,
    ALTER COLUMN institution_id DROP NOT NULL,
    DROP CONSTRAINT runs_identifier_type_check,
    ADD CONSTRAINT runs_identifier_type_check CHECK (identifier_type IN ('votecode', 'tin', 'person')),
    ADD CONSTRAINT runs_one_person_or_one_institution CHECK
        ((kind = 'person') = (institution_id IS NULL) AND (kind = 'person') = (identifier_type = 'person')),
    -- What a delayed run waits for, when it is not for its own next attempt.
    ADD COLUMN waits_for text CHECK (waits_for IN ('remote')),
    ADD CONSTRAINT runs_applies_a_preview CHECK ((kind = 'apply') = (of_run_id IS NOT NULL));

-- A page is read once, and again where the sum does not add up: 1 is the first reading, 2 the edges between
-- its pages, 3 and 4 are whole ones; a run makes three of them at most.
ALTER TABLE rejects
    DROP CONSTRAINT rejects_run_id_page_size_page_number_fkey,
    DROP CONSTRAINT rejects_pkey,
    ADD COLUMN reading smallint NOT NULL DEFAULT 1 CHECK (reading BETWEEN 1 AND 4);
ALTER TABLE run_pages
    DROP CONSTRAINT run_pages_pkey,
    ADD COLUMN reading smallint NOT NULL DEFAULT 1 CHECK (reading BETWEEN 1 AND 4),
    -- A digest of the ZanIDs on the page; NULL for fewer than two. The same twice in a reading is no answer.
    ADD COLUMN fingerprint bytea CHECK (length(fingerprint) = 16),
    ADD PRIMARY KEY (run_id, reading, page_size, page_number);
ALTER TABLE rejects
    ADD PRIMARY KEY (run_id, reading, page_size, page_number, position),
    ADD CONSTRAINT rejects_page_fkey FOREIGN KEY (run_id, reading, page_size, page_number)
        REFERENCES run_pages ON DELETE CASCADE;

-- Places at the remote, taken by workers for as long as they ask. Unlogged: after a crash of the
-- database nobody is asking, and a place lost is taken again.
CREATE UNLOGGED TABLE remote_slots (
    number integer PRIMARY KEY CHECK (number > 0),
    holder text NOT NULL,
    until timestamptz NOT NULL
);

-- Whether the remote is asked at all. One row: while it is open, runs wait and one of them probes.
CREATE TABLE remote_breaker (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    opened_at timestamptz,
    reason text,
    code text,
    probes integer NOT NULL DEFAULT 0 CHECK (probes >= 0),
    probe_at timestamptz,
    CONSTRAINT remote_breaker_open_says_why CHECK
        ((opened_at IS NULL) = (reason IS NULL) AND (opened_at IS NULL) = (probe_at IS NULL)
         AND (opened_at IS NULL) = (code IS NULL))
);
INSERT INTO remote_breaker DEFAULT VALUES;

-- What changed about somebody, by a run or by a person who set something right.
ALTER TABLE employee_changes
    ALTER COLUMN run_id DROP NOT NULL,
    ADD COLUMN made_by text CHECK (made_by <> ''),
    ADD CONSTRAINT employee_changes_say_who CHECK (run_id IS NOT NULL OR made_by IS NOT NULL);

CREATE OR REPLACE VIEW runs_v AS
SELECT r.id AS job_id, i.name AS institution, r.institution_id, r.identifier_type, r.identifier,
       r.page_size, r.state, r.outcome, r.attempt, r.requested_by, r.requested_via,
       r.requested_at, r.started_at, r.finished_at, r.next_try_at,
       p.remote_total, p.pages AS pages_fetched, p.fetched AS total_fetched,
       coalesce(r.people, p.saved) AS employee_count, r.missing, coalesce(r.seen_twice, p.repeated) AS seen_twice,
       p.new, p.changed, p.unchanged, p.rejected, p.unmatched, r.trouble, r.trouble_code, r.kind
FROM runs r
LEFT JOIN institutions i ON i.id = r.institution_id
JOIN run_progress p ON p.run_id = r.id;
