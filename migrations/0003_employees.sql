-- The people, what changed about them, and who lists them.
-- Columns that name a run carry no foreign key: runs are never deleted, the page's transaction holds
-- the run's row while it writes, and a check a row would cost as much as the whole save.

CREATE TABLE employees (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    zan_id text NOT NULL CHECK (zan_id ~ '^[0-9]{8,10}$'),
    name text,
    gender text CHECK (gender IN ('Male', 'Female')),
    date_of_birth date,
    place_of_birth text,
    region text,
    country_of_birth text,
    phone_number text,
    contact_address text,
    zssf_number text,
    payroll_number text,
    cadre text,
    salary_scale text,
    ministry text,
    department text,
    appointment_type text,
    contract_type text,
    recent_title_date date,
    current_reporting_office text,
    current_workplace text,
    employment_date date,
    confirmation_date date,
    retirement_date date,
    highest_education text,
    status text NOT NULL CHECK (status IN
        ('Confirmed', 'Retired', 'Resigned', 'Terminated', 'Dismissed', 'On Probation')),
    workplace_id bigint REFERENCES workplaces,
    institution_id bigint REFERENCES institutions,
    first_run_id bigint NOT NULL,
    last_changed_run_id bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT employees_zan_id_once UNIQUE (zan_id),
    CONSTRAINT employees_institution_through_workplace
        CHECK (institution_id IS NULL OR workplace_id IS NOT NULL),
    CONSTRAINT employees_workplace_named
        CHECK ((workplace_id IS NULL) = (current_workplace IS NULL))
);
CREATE INDEX employees_institution ON employees (institution_id, zan_id);
CREATE INDEX employees_workplace ON employees (workplace_id);
CREATE INDEX employees_payroll_number ON employees (payroll_number);

-- One row for each time a run changed somebody: {"field": [old, new], …}.
CREATE TABLE employee_changes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    employee_id bigint NOT NULL REFERENCES employees,
    run_id bigint NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    changes jsonb NOT NULL CHECK (jsonb_typeof(changes) = 'object' AND changes <> '{}')
);
CREATE INDEX employee_changes_employee ON employee_changes (employee_id, id);
CREATE INDEX employee_changes_run ON employee_changes (run_id);

-- That an institution's vote code or TIN lists a person. Not the same as working there.
CREATE TABLE listings (
    institution_id bigint NOT NULL REFERENCES institutions,
    identifier_type text NOT NULL CHECK (identifier_type IN ('votecode', 'tin')),
    employee_id bigint NOT NULL REFERENCES employees,
    since_run_id bigint NOT NULL,
    PRIMARY KEY (institution_id, identifier_type, employee_id)
);
CREATE INDEX listings_employee ON listings (employee_id);

-- A person's institution is that of their workplace: when a workplace is matched, its people follow.
CREATE FUNCTION move_people_with_workplace() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE employees SET institution_id = NEW.institution_id, updated_at = now()
    WHERE workplace_id = NEW.id AND institution_id IS DISTINCT FROM NEW.institution_id;
    RETURN NULL;
END $$;
CREATE TRIGGER workplaces_move_people AFTER UPDATE OF institution_id ON workplaces
    FOR EACH ROW WHEN (OLD.institution_id IS DISTINCT FROM NEW.institution_id)
    EXECUTE FUNCTION move_people_with_workplace();

-- A new name on the register takes the workplaces that waited for it. The lock keeps out the page
-- that is just now meeting that workplace for the first time (see meet_workplaces in the code).
CREATE FUNCTION match_waiting_workplaces() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('hrims register'));
    UPDATE workplaces SET institution_id = NEW.id, matched_by = 'name'
    WHERE name_key = NEW.name_key AND institution_id IS NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER institutions_match_waiting AFTER INSERT OR UPDATE OF name ON institutions
    FOR EACH ROW EXECUTE FUNCTION match_waiting_workplaces();
