-- Leavers: which lists miss an employee, what follows from that, and who approved it.

-- Employees whose listings ended with one run. It is applied at once, or it waits until a second user approves.
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
    decided_by_id bigint REFERENCES users,
    decided_at timestamptz,
    undone_by text CHECK (undone_by <> ''),
    undone_by_id bigint REFERENCES users,
    undone_at timestamptz,
    CONSTRAINT departures_waiting_says_why CHECK (state <> 'waiting' OR why IS NOT NULL),
    CONSTRAINT departures_decided CHECK ((decided_by IS NULL) = (decided_at IS NULL)
        AND (state NOT IN ('approved', 'refused') OR decided_by IS NOT NULL)
        AND (state NOT IN ('applied', 'waiting', 'superseded') OR decided_by IS NULL)),
    CONSTRAINT departures_undone CHECK ((undone_by IS NULL) = (undone_at IS NULL)
        AND (state = 'undone') = (undone_by IS NOT NULL)),
    CONSTRAINT departures_decided_by_users CHECK ((decided_by IS NULL) = (decided_by_id IS NULL)
        AND (undone_by IS NULL) = (undone_by_id IS NULL))
);
CREATE UNIQUE INDEX departures_one_waits ON departures (institution_id, identifier_type)
    WHERE state = 'waiting';
CREATE INDEX departures_institution ON departures (institution_id, created_at);
CREATE INDEX departures_run ON departures (run_id);

-- The employees of a departure. An approval covers only those that the list still misses.
CREATE TABLE departure_people (
    departure_id bigint NOT NULL REFERENCES departures ON DELETE CASCADE,
    employee_id bigint NOT NULL REFERENCES employees,
    missed_since_run_id bigint NOT NULL,
    became text CHECK (became IN ('left', 'transferred', 'unlisted')),
    PRIMARY KEY (departure_id, employee_id)
);
CREATE INDEX departure_people_employee ON departure_people (employee_id);

-- A decision is final. An applied or approved departure can be undone once.
CREATE FUNCTION check_departure_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'departure % is % and cannot become %', OLD.id, OLD.state, NEW.state
        USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER departures_decided_once BEFORE UPDATE OF state ON departures
    FOR EACH ROW WHEN (NOT (OLD.state = NEW.state
        OR OLD.state = 'waiting' AND NEW.state IN ('approved', 'refused', 'superseded')
        OR OLD.state IN ('applied', 'approved') AND NEW.state = 'undone'))
    EXECUTE FUNCTION check_departure_transition();

-- Users who requested, joined or retried the run may refuse its departures but not approve them. Users are compared,
-- not names: a token, a schedule and the command line act for a user.
CREATE FUNCTION check_departure_approver() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM run_requesters WHERE run_id = NEW.run_id AND user_id = NEW.decided_by_id) THEN
        RAISE EXCEPTION 'departure % was requested by the user who approves it', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'departures_approved_by_another';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER departures_approved_by_another BEFORE INSERT OR UPDATE OF state, decided_by_id ON departures
    FOR EACH ROW WHEN (NEW.state = 'approved') EXECUTE FUNCTION check_departure_approver();

-- Events in an employee's history other than changed fields. Each follows from the run run_id.
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
    -- The user who approved or undid it. NULL if the run alone did it.
    made_by text CHECK (made_by <> '')
);
CREATE INDEX employee_events_employee ON employee_events (employee_id, id);
CREATE INDEX employee_events_run ON employee_events (run_id);

-- An employee with an open listing is no leaver. A transaction locks the employee's row before it ends or begins a
-- listing.
CREATE FUNCTION check_leaver_is_unlisted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM listings WHERE employee_id = NEW.id AND ended_at IS NULL) THEN
        RAISE EXCEPTION 'employee % is still listed', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER employees_leave_unlisted BEFORE UPDATE OF left_at ON employees
    FOR EACH ROW WHEN (OLD.left_at IS NULL AND NEW.left_at IS NOT NULL)
    EXECUTE FUNCTION check_leaver_is_unlisted();
