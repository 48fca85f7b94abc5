-- Rejects that live across runs, asking again for them, and what changed in HRIMS' answers.

-- The key of the digests below. It is made here so that every process has the same one; see decision 0010.
INSERT INTO app_secrets (name, value)
VALUES ('reject_key', replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''));

-- Whose record it is, without saying whose: a keyed digest. Without the key nobody can try all ZanIDs.
CREATE FUNCTION record_key(identity text) RETURNS bytea LANGUAGE sql STABLE STRICT PARALLEL SAFE
RETURN (SELECT sha256(convert_to(s.value || ':' || identity, 'UTF8'))
        FROM app_secrets s WHERE s.name = 'reject_key');

ALTER TABLE rejects ADD COLUMN record_key bytea CHECK (length(record_key) = 32);

-- A record of a listing that could not be kept, from the run that met it first until it comes right.
CREATE TABLE reject_cases (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    institution_id bigint NOT NULL REFERENCES institutions,
    identifier_type text NOT NULL CHECK (identifier_type IN ('votecode', 'tin')),
    record_key bytea NOT NULL CHECK (length(record_key) = 32),
    -- Nothing in the record says whose it is, so it goes by its place in the listing.
    by_place boolean NOT NULL,
    code text NOT NULL CHECK (code ~ '^[a-z_]+$'),
    field text,
    reason text NOT NULL,
    masked text,
    -- Where it stood last, and the remote's total then.
    page_size integer NOT NULL CHECK (page_size > 0),
    page_number integer NOT NULL CHECK (page_number >= 0),
    position integer NOT NULL CHECK (position >= 0),
    place bigint NOT NULL GENERATED ALWAYS AS (page_size::bigint * page_number + position) STORED,
    remote_total integer NOT NULL CHECK (remote_total >= 0),
    first_run_id bigint NOT NULL REFERENCES runs,
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    last_run_id bigint NOT NULL REFERENCES runs,
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    -- The runs that met it.
    times integer NOT NULL DEFAULT 1 CHECK (times > 0),
    closed_at timestamptz,
    closed_run_id bigint REFERENCES runs,
    CONSTRAINT reject_cases_once UNIQUE (institution_id, identifier_type, record_key),
    CONSTRAINT reject_cases_closed_by_a_run CHECK ((closed_at IS NULL) = (closed_run_id IS NULL))
) WITH (fillfactor = 80);
-- What a run touches when it meets a record again is in no index: such updates stay on their page.
CREATE INDEX reject_cases_open_first ON reject_cases ((closed_at IS NOT NULL), id DESC);
CREATE INDEX reject_cases_open ON reject_cases (institution_id, identifier_type) WHERE closed_at IS NULL;

-- What a run of the kind 'rejected' asks again for, and what became of it.
CREATE TABLE run_cases (
    run_id bigint NOT NULL REFERENCES runs ON DELETE CASCADE,
    case_id bigint NOT NULL REFERENCES reject_cases ON DELETE CASCADE,
    place bigint NOT NULL CHECK (place >= 0),
    alone boolean NOT NULL,
    became text CHECK (became IN ('right', 'rejected', 'not_found')),
    PRIMARY KEY (run_id, case_id)
);
CREATE INDEX run_cases_case ON run_cases (case_id);

-- Drift, counted with each page. filled: people with each column, in the order of the employees' columns;
-- present: records of the sample with each field of the contract; odd: {"unknown" | "retyped": {path: records}}.
ALTER TABLE run_pages
    ADD COLUMN filled smallint[],
    ADD COLUMN sampled smallint,
    ADD COLUMN present smallint[],
    ADD COLUMN odd jsonb;

-- The same, summed when the run ended, by name; and what that changed since the run before.
CREATE TABLE run_drift (
    run_id bigint PRIMARY KEY REFERENCES runs ON DELETE CASCADE,
    before_run_id bigint REFERENCES runs,
    records integer NOT NULL CHECK (records >= 0),
    people integer NOT NULL CHECK (people >= 0),
    sampled integer NOT NULL CHECK (sampled >= 0),
    filled jsonb NOT NULL,
    present jsonb NOT NULL,
    unknown jsonb NOT NULL,
    retyped jsonb NOT NULL,
    changes jsonb NOT NULL CHECK (jsonb_typeof(changes) = 'array')
);

CREATE VIEW rejects_v AS
SELECT c.id, i.name AS institution, c.institution_id, c.identifier_type, c.code, c.field, c.reason, c.masked,
       c.place + 1 AS record, c.page_size, c.page_number, c.position, c.times,
       c.first_run_id AS first_job_id, c.first_seen_at, c.last_run_id AS last_job_id, c.last_seen_at,
       CASE WHEN c.closed_at IS NULL THEN 'open' ELSE 'closed' END AS state,
       c.closed_at, c.closed_run_id AS closed_job_id
FROM reject_cases c
JOIN institutions i ON i.id = c.institution_id;

CREATE VIEW drift_v AS
SELECT d.run_id AS job_id, i.name AS institution, r.institution_id, r.identifier_type, r.finished_at,
       d.before_run_id AS before_job_id, c.change ->> 'kind' AS kind, c.change ->> 'field' AS field,
       (c.change ->> 'now')::float8 AS now, (c.change ->> 'before')::float8 AS before,
       c.change ->> 'message' AS message
FROM run_drift d
JOIN runs r ON r.id = d.run_id
JOIN institutions i ON i.id = r.institution_id
CROSS JOIN LATERAL jsonb_array_elements(d.changes) WITH ORDINALITY AS c(change, position);
