-- What a run must know to prove its outcome: which records repeat a ZanID and whether they are the same person, how many
-- records a page of HRIMS really holds, and how many people the last complete run met.

-- A digest of each record in `people`, in the same order: of the identity (name, birth date, payroll number) in the high
-- half, of the whole row in the low half. A ZanID that a page holds twice stands in `people` twice.
ALTER TABLE run_pages
    ADD COLUMN record_digests bigint[] NOT NULL DEFAULT '{}';

ALTER TABLE runs
    -- The page size that this run found to fit, and what it found, in words; NULL while the requested one fits.
    ADD COLUMN fitted_page_size integer CHECK (fitted_page_size BETWEEN 1 AND 500),
    ADD COLUMN page_finding text CHECK (page_finding <> ''),
    ADD CONSTRAINT runs_fitted_page_size_says_why CHECK ((fitted_page_size IS NULL) = (page_finding IS NULL)),
    -- People of the last complete run of the same list, counted when this run ended.
    ADD COLUMN last_complete_people integer CHECK (last_complete_people >= 0);

ALTER TABLE run_progress
    -- People that a pass saved before it started again with another page size.
    ADD COLUMN saved_before integer NOT NULL DEFAULT 0 CHECK (saved_before >= 0),
    -- The most records that HRIMS sent or counted in an answer that could not be saved: they contradict a total of 0.
    ADD COLUMN unsaved_total integer NOT NULL DEFAULT 0 CHECK (unsaved_total >= 0);

-- The page size that an endpoint answers, found by a run whose pages held another number of records than requested.
-- Forgotten after a while, in case HRIMS was changed.
CREATE TABLE remote_page_sizes (
    base_url text NOT NULL CHECK (base_url <> ''),
    identifier_type text NOT NULL CHECK (identifier_type IN ('votecode', 'tin')),
    smallest integer CHECK (smallest BETWEEN 1 AND 500),
    largest integer CHECK (largest BETWEEN 1 AND 500),
    found_at timestamptz NOT NULL DEFAULT now(),
    found_run_id bigint NOT NULL,
    PRIMARY KEY (base_url, identifier_type),
    CONSTRAINT remote_page_sizes_limit_something CHECK (smallest IS NOT NULL OR largest IS NOT NULL),
    CONSTRAINT remote_page_sizes_in_order CHECK (smallest <= largest)
);

CREATE OR REPLACE VIEW runs_v AS
SELECT r.id AS job_id, i.name AS institution, r.institution_id, r.identifier_type,
       CASE WHEN r.kind = 'person' THEN masked_key(r.identifier) ELSE r.identifier END AS identifier,
       r.page_size, r.state, r.outcome, r.attempt, r.requested_by, r.requested_via,
       r.requested_at, r.started_at, r.finished_at, r.next_try_at,
       p.remote_total, p.pages AS pages_fetched, p.fetched AS total_fetched,
       coalesce(r.people, greatest(p.saved, p.saved_before)) AS employee_count, CASE WHEN r.missing < 0 THEN 0 ELSE r.missing END AS missing,
       coalesce(r.seen_twice, p.repeated) AS seen_twice,
       p.new, p.changed, p.unchanged, p.rejected, p.unmatched, r.trouble, r.trouble_code, r.kind,
       p.leavers, p.leavers_waiting,
       CASE WHEN r.missing < 0 THEN -r.missing WHEN r.missing >= 0 THEN 0 END AS surplus,
       r.state IN ('failed', 'cancelled') AND r.kind <> 'preview' AND greatest(p.saved, p.saved_before) > 0 AS partial,
       greatest(r.last_complete_people - r.people, 0) AS fewer_than_last_complete,
       CASE WHEN r.state = 'completed' THEN p.repeated END AS listed_twice,
       r.fitted_page_size, r.page_finding
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
        'listedTwice', CASE WHEN r.state = 'completed' THEN p.repeated END,
        'fewerThanLastComplete', greatest(r.last_complete_people - r.people, 0),
        'pageFinding', r.page_finding,
        'code', CASE WHEN r.state <> 'completed' THEN coalesce(r.trouble_code, r.state) END,
        'trouble', CASE WHEN r.state <> 'cancelled' THEN r.trouble END
    )) AS payload
FROM runs r JOIN run_progress p ON p.run_id = r.id LEFT JOIN institutions i ON i.id = r.institution_id
WHERE r.finished_at IS NOT NULL;

-- The last result of an institution is found by the index, however many runs have failed since.
CREATE INDEX runs_last_completed ON runs (institution_id, id DESC) WHERE state = 'completed' AND kind IN ('sync', 'apply');
