-- Rejects: records that could not be saved, and requests for them. Drift: changes in the answers of HRIMS.

-- The key of the digests below. The database makes it, so that every process has the same key (decision 0010).
INSERT INTO app_secrets (name, value)
VALUES ('reject_key', replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''));

-- A keyed digest of a record's identity. It does not reveal the employee: a list of all ZanIDs needs the key too.
CREATE FUNCTION record_key(identity text) RETURNS bytea LANGUAGE sql STABLE STRICT PARALLEL SAFE
RETURN (SELECT sha256(convert_to(s.value || ':' || identity, 'UTF8'))
        FROM app_secrets s WHERE s.name = 'reject_key');

-- Masks a ZanID as rejects show it. Users can compare masked numbers but not use them.
CREATE FUNCTION masked_key(key text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE WHEN length(key) < 8 THEN repeat('•', length(key))
            ELSE regexp_replace(left(key, 2), '[^0-9]', '•', 'g') || repeat('•', least(length(key), 10) - 4)
                 || regexp_replace(right(key, 2), '[^0-9]', '•', 'g') END;

-- A record of a page that could not be saved, with the reason.
CREATE TABLE rejects (
    run_id bigint NOT NULL,
    page_size integer NOT NULL,
    page_number integer NOT NULL,
    position integer NOT NULL CHECK (position >= 0),
    code text NOT NULL CHECK (code ~ '^[a-z_]+$'),
    field text,
    reason text NOT NULL,
    masked text,
    reading smallint NOT NULL DEFAULT 1 CHECK (reading BETWEEN 1 AND 4),
    record_key bytea CHECK (length(record_key) = 32),
    -- The employee, for HR officers: as the record says it, NULL if it says nothing. These columns are personal data.
    -- They are deleted with the page of the run.
    name text CHECK (name <> ''),
    payroll_number text CHECK (payroll_number <> ''),
    workplace text CHECK (workplace <> ''),
    PRIMARY KEY (run_id, reading, page_size, page_number, position),
    CONSTRAINT rejects_page_fkey FOREIGN KEY (run_id, reading, page_size, page_number)
        REFERENCES run_pages ON DELETE CASCADE
);

-- A reject of a listing, from the run that first met the record until the record is right.
CREATE TABLE reject_cases (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    institution_id bigint NOT NULL REFERENCES institutions,
    identifier_type text NOT NULL CHECK (identifier_type IN ('votecode', 'tin')),
    record_key bytea NOT NULL CHECK (length(record_key) = 32),
    -- The record does not identify the employee, so the key is of its place in the listing.
    by_place boolean NOT NULL,
    code text NOT NULL CHECK (code ~ '^[a-z_]+$'),
    field text,
    reason text NOT NULL,
    masked text,
    -- The last place of the record, and the remote total at that time.
    page_size integer NOT NULL CHECK (page_size > 0),
    page_number integer NOT NULL CHECK (page_number >= 0),
    position integer NOT NULL CHECK (position >= 0),
    place bigint NOT NULL GENERATED ALWAYS AS (page_size::bigint * page_number + position) STORED,
    remote_total integer NOT NULL CHECK (remote_total >= 0),
    first_run_id bigint NOT NULL REFERENCES runs,
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    last_run_id bigint NOT NULL REFERENCES runs,
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    -- The number of runs that met the record.
    times integer NOT NULL DEFAULT 1 CHECK (times > 0),
    closed_at timestamptz,
    closed_run_id bigint REFERENCES runs,
    -- The employee, as in rejects. Of a closed case these columns are deleted after HRIMS_KEEP_DETAILS_DAYS.
    name text CHECK (name <> ''),
    payroll_number text CHECK (payroll_number <> ''),
    workplace text CHECK (workplace <> ''),
    has_person boolean NOT NULL
        GENERATED ALWAYS AS (num_nonnulls(name, payroll_number, workplace) > 0) STORED,
    CONSTRAINT reject_cases_once UNIQUE (institution_id, identifier_type, record_key),
    CONSTRAINT reject_cases_closed_by_a_run CHECK ((closed_at IS NULL) = (closed_run_id IS NULL))
) WITH (fillfactor = 80);
-- No index holds the columns that a run updates when it meets a record again. Such updates stay on their disk page.
CREATE INDEX reject_cases_open_first ON reject_cases ((closed_at IS NOT NULL), id DESC);
CREATE INDEX reject_cases_open ON reject_cases (institution_id, identifier_type) WHERE closed_at IS NULL;
-- A run looks for known rejects among records that share a ZanID, whatever list met them.
CREATE INDEX reject_cases_open_keys ON reject_cases (record_key) WHERE closed_at IS NULL;
-- Finds the oldest closed cases whose employee is still to be deleted.
CREATE INDEX reject_cases_closed_with_person ON reject_cases (closed_at) WHERE has_person AND closed_at IS NOT NULL;

-- The cases that a run of the kind 'rejected' requests again, and the result of each.
CREATE TABLE run_cases (
    run_id bigint NOT NULL REFERENCES runs ON DELETE CASCADE,
    case_id bigint NOT NULL REFERENCES reject_cases ON DELETE CASCADE,
    place bigint NOT NULL CHECK (place >= 0),
    alone boolean NOT NULL,
    became text CHECK (became IN ('right', 'rejected', 'not_found')),
    PRIMARY KEY (run_id, case_id)
);
CREATE INDEX run_cases_case ON run_cases (case_id);

-- The counts of drift of all pages of a run, by name, and the changes since the run before.
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
