-- Who left: lists that miss somebody, what was concluded from it, and who approved it.

-- How many complete runs in a row missed a person whom the list had, and since which. Rows of those who are
-- there are not touched. A list that has ended keeps its row, and goes on when it has the person again.
ALTER TABLE listings
    ADD COLUMN missed_runs integer NOT NULL DEFAULT 0 CHECK (missed_runs >= 0),
    ADD COLUMN missed_since_run_id bigint,
    ADD COLUMN ended_at timestamptz,
    ADD COLUMN ended_run_id bigint,
    ADD CONSTRAINT listings_missed_since_a_run CHECK ((missed_runs = 0) = (missed_since_run_id IS NULL)),
    ADD CONSTRAINT listings_ended_by_a_run CHECK ((ended_at IS NULL) = (ended_run_id IS NULL)),
    ADD CONSTRAINT listings_end_after_a_miss CHECK (ended_at IS NULL OR missed_runs > 0);
CREATE INDEX listings_missed ON listings (institution_id, identifier_type, employee_id)
    WHERE missed_runs > 0;

-- A leaver stays in the table, with the day and the run.
ALTER TABLE employees
    ADD COLUMN left_at timestamptz,
    ADD COLUMN left_run_id bigint,
    ADD CONSTRAINT employees_left_by_a_run CHECK ((left_at IS NULL) = (left_run_id IS NULL));
CREATE INDEX employees_left ON employees (left_run_id) WHERE left_run_id IS NOT NULL;

-- People whose list ended with one run: done at once, or waiting until a second person approves.
CREATE TABLE departures (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    institution_id bigint NOT NULL REFERENCES institutions,
    identifier_type text NOT NULL CHECK (identifier_type IN ('votecode', 'tin')),
    run_id bigint NOT NULL REFERENCES runs,
    asked_by text NOT NULL CHECK (asked_by <> ''),
    state text NOT NULL CHECK (state IN
        ('applied', 'waiting', 'superseded', 'approved', 'refused', 'undone')),
    -- Why it waits, in words for an HR officer.
    why text CHECK (why <> ''),
    listed integer NOT NULL CHECK (listed >= 0),
    people integer NOT NULL CHECK (people > 0),
    leavers integer NOT NULL DEFAULT 0 CHECK (leavers >= 0),
    transfers integer NOT NULL DEFAULT 0 CHECK (transfers >= 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    decided_by text CHECK (decided_by <> ''),
    decided_at timestamptz,
    undone_by text CHECK (undone_by <> ''),
    undone_at timestamptz,
    CONSTRAINT departures_waiting_says_why CHECK (state <> 'waiting' OR why IS NOT NULL),
    CONSTRAINT departures_decided CHECK ((decided_by IS NULL) = (decided_at IS NULL)
        AND (state NOT IN ('approved', 'refused') OR decided_by IS NOT NULL)
        AND (state NOT IN ('applied', 'waiting', 'superseded') OR decided_by IS NULL)),
    CONSTRAINT departures_undone CHECK ((undone_by IS NULL) = (undone_at IS NULL)
        AND (state = 'undone') = (undone_by IS NOT NULL)),
    -- Whoever asked for the run may refuse what follows from it, and not approve it.
    CONSTRAINT departures_approved_by_another CHECK (state = 'refused' OR decided_by <> asked_by)
);
CREATE UNIQUE INDEX departures_one_waits ON departures (institution_id, identifier_type)
    WHERE state = 'waiting';
CREATE INDEX departures_institution ON departures (institution_id, created_at);
CREATE INDEX departures_run ON departures (run_id);

-- Whom it is about. An approval counts for those alone whom the list has missed ever since.
CREATE TABLE departure_people (
    departure_id bigint NOT NULL REFERENCES departures ON DELETE CASCADE,
    employee_id bigint NOT NULL REFERENCES employees,
    missed_since_run_id bigint NOT NULL,
    became text CHECK (became IN ('left', 'transferred', 'unlisted')),
    PRIMARY KEY (departure_id, employee_id)
);
CREATE INDEX departure_people_employee ON departure_people (employee_id);

-- What is decided stays decided; what was done can be undone once.
CREATE FUNCTION refuse_to_decide_anew() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'departure % is % and cannot become %', OLD.id, OLD.state, NEW.state
        USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER departures_decided_once BEFORE UPDATE OF state ON departures
    FOR EACH ROW WHEN (NOT (OLD.state = NEW.state
        OR OLD.state = 'waiting' AND NEW.state IN ('approved', 'refused', 'superseded')
        OR OLD.state IN ('applied', 'approved') AND NEW.state = 'undone'))
    EXECUTE FUNCTION refuse_to_decide_anew();

-- What happened to somebody besides changed fields. run_id is the run from which it follows.
CREATE TABLE employee_events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    employee_id bigint NOT NULL REFERENCES employees,
    at timestamptz NOT NULL DEFAULT now(),
    kind text NOT NULL CHECK (kind IN
        ('left', 'transferred', 'unlisted', 'came_back', 'listed_again', 'undone')),
    institution_id bigint NOT NULL REFERENCES institutions,
    identifier_type text NOT NULL CHECK (identifier_type IN ('votecode', 'tin')),
    run_id bigint NOT NULL,
    departure_id bigint REFERENCES departures,
    -- Who approved or undid it; NULL when the run alone did it.
    made_by text CHECK (made_by <> '')
);
CREATE INDEX employee_events_employee ON employee_events (employee_id, id);
CREATE INDEX employee_events_run ON employee_events (run_id);

-- Nobody leaves whom a list still has. Whoever ends or begins a list holds the person's row first.
CREATE FUNCTION refuse_leaver_who_is_listed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM listings WHERE employee_id = NEW.id AND ended_at IS NULL) THEN
        RAISE EXCEPTION 'employee % is still listed', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER employees_leave_unlisted BEFORE UPDATE OF left_at ON employees
    FOR EACH ROW WHEN (OLD.left_at IS NULL AND NEW.left_at IS NOT NULL)
    EXECUTE FUNCTION refuse_leaver_who_is_listed();

ALTER TABLE run_progress
    ADD COLUMN leavers integer NOT NULL DEFAULT 0 CHECK (leavers >= 0),
    ADD COLUMN leavers_waiting integer NOT NULL DEFAULT 0 CHECK (leavers_waiting >= 0);

-- Search for people: by the beginning of their name or of its last word, beside ZanID and payroll number.
CREATE FUNCTION last_word(name text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN reverse(split_part(reverse(lower(name)), ' ', 1));
CREATE INDEX employees_name ON employees (lower(name) text_pattern_ops);
CREATE INDEX employees_last_name ON employees (last_word(name) text_pattern_ops);

-- One person: the same number once at a time.
CREATE UNIQUE INDEX runs_one_person_under_way ON runs (identifier)
    WHERE kind = 'person' AND state IN ('waiting', 'delayed', 'active');

-- A person's number that others can compare but not use, as rejects show it.
CREATE FUNCTION masked_key(key text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE WHEN length(key) < 8 THEN repeat('•', length(key))
            ELSE regexp_replace(left(key, 2), '[^0-9]', '•', 'g') || repeat('•', least(length(key), 10) - 4)
                 || regexp_replace(right(key, 2), '[^0-9]', '•', 'g') END;

CREATE OR REPLACE VIEW runs_v AS
SELECT r.id AS job_id, i.name AS institution, r.institution_id, r.identifier_type,
       CASE WHEN r.kind = 'person' THEN masked_key(r.identifier) ELSE r.identifier END AS identifier,
       r.page_size, r.state, r.outcome, r.attempt, r.requested_by, r.requested_via,
       r.requested_at, r.started_at, r.finished_at, r.next_try_at,
       p.remote_total, p.pages AS pages_fetched, p.fetched AS total_fetched,
       coalesce(r.people, p.saved) AS employee_count, r.missing, coalesce(r.seen_twice, p.repeated) AS seen_twice,
       p.new, p.changed, p.unchanged, p.rejected, p.unmatched, r.trouble, r.trouble_code, r.kind,
       p.leavers, p.leavers_waiting
FROM runs r
LEFT JOIN institutions i ON i.id = r.institution_id
JOIN run_progress p ON p.run_id = r.id;

CREATE OR REPLACE VIEW employees_v AS
SELECT e.zan_id, e.name, e.gender, e.date_of_birth, e.place_of_birth, e.region, e.country_of_birth,
       e.phone_number, e.contact_address, e.zssf_number, e.payroll_number, e.cadre, e.salary_scale,
       e.ministry, e.department, e.appointment_type, e.contract_type, e.recent_title_date,
       e.current_reporting_office, e.current_workplace, e.employment_date, e.confirmation_date,
       e.retirement_date, e.highest_education, e.status, i.name AS institution, e.institution_id,
       e.first_run_id AS first_job_id, e.last_changed_run_id AS last_changed_job_id,
       e.created_at, e.updated_at, e.left_at, e.left_run_id AS left_job_id
FROM employees e
LEFT JOIN institutions i ON i.id = e.institution_id;

-- Everything that ever changed about everybody, a line each.
CREATE VIEW changes_v AS
SELECT e.zan_id, e.name, f.key AS field, f.value ->> 0 AS old, f.value ->> 1 AS new, c.run_id AS job_id,
       coalesce(c.made_by, r.requested_by) AS requested_by, c.changed_at AS at, c.employee_id
FROM employee_changes c
JOIN employees e ON e.id = c.employee_id
CROSS JOIN LATERAL jsonb_each(c.changes) f
LEFT JOIN runs r ON r.id = c.run_id
UNION ALL
SELECT e.zan_id, e.name, 'presence', i.name, v.kind, v.run_id, coalesce(v.made_by, r.requested_by), v.at,
       v.employee_id
FROM employee_events v
JOIN employees e ON e.id = v.employee_id
JOIN institutions i ON i.id = v.institution_id
LEFT JOIN runs r ON r.id = v.run_id;
