-- The employees, their history, the lists that name them, and the search for them.
-- A column that names a run has no foreign key. No run is deleted, and a check of each row would slow down the save.

-- The key by which search compares a name. It has lower case, no apostrophes, and spaces for all other signs.
-- So ng'ambo is one word in each spelling. It is not STRICT, so that PostgreSQL can inline it when it writes an index.
CREATE FUNCTION search_key(name text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN name ~ '[^A-Za-z0-9 ]|  |^ | $'
    THEN btrim(regexp_replace(lower(translate(clean_text(name),
        U&'''`\00B4\2018\2019\201B\2032\02B9\02BB\02BC\02BD\02BE\02BF\02C8\A78C\FF07', '')), '[^[:alnum:]]+', ' ', 'g'))
    ELSE lower(name) END;

-- The words of a name, as an index keeps them. The text search parser splits words by other rules.
CREATE FUNCTION name_parts(name text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN array_to_tsvector(string_to_array(search_key(name), ' '));

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
    -- The triggers below guard these two columns once a page. A foreign key would check each row.
    workplace_id bigint,
    institution_id bigint,
    first_run_id bigint NOT NULL,
    last_changed_run_id bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    -- A leaver stays in the table, with the time and the run.
    left_at timestamptz,
    left_run_id bigint,
    CONSTRAINT employees_zan_id_once UNIQUE (zan_id),
    CONSTRAINT employees_institution_through_workplace
        CHECK (institution_id IS NULL OR workplace_id IS NOT NULL),
    CONSTRAINT employees_workplace_named
        CHECK ((workplace_id IS NULL) = (current_workplace IS NULL)),
    CONSTRAINT employees_left_by_a_run CHECK ((left_at IS NULL) = (left_run_id IS NULL))
);
CREATE INDEX employees_institution ON employees (institution_id, zan_id);
CREATE INDEX employees_workplace ON employees (workplace_id);
CREATE INDEX employees_payroll_number ON employees (payroll_number);
CREATE INDEX employees_left ON employees (left_run_id) WHERE left_run_id IS NOT NULL;
CREATE INDEX employees_name ON employees (lower(name) text_pattern_ops);
CREATE INDEX employees_name_parts ON employees USING gin (name_parts(name));

-- One row for each time that a run or a user changed an employee: {"field": [old, new], …}.
CREATE TABLE employee_changes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    employee_id bigint NOT NULL REFERENCES employees,
    run_id bigint,
    changed_at timestamptz NOT NULL DEFAULT now(),
    changes jsonb NOT NULL CHECK (jsonb_typeof(changes) = 'object' AND changes <> '{}'),
    made_by text CHECK (made_by <> ''),
    CONSTRAINT employee_changes_say_who CHECK (run_id IS NOT NULL OR made_by IS NOT NULL)
);
CREATE INDEX employee_changes_employee ON employee_changes (employee_id, id);
CREATE INDEX employee_changes_run ON employee_changes (run_id);

-- The vote code or TIN of an institution lists an employee. That is not the same as to work there.
CREATE TABLE listings (
    institution_id bigint NOT NULL REFERENCES institutions,
    identifier_type text NOT NULL CHECK (identifier_type IN ('votecode', 'tin')),
    employee_id bigint NOT NULL REFERENCES employees,
    since_run_id bigint NOT NULL,
    -- The number of complete runs in a row that missed the employee, and the first of them. As long as runs meet the
    -- employee, the row is not written.
    missed_runs integer NOT NULL DEFAULT 0 CHECK (missed_runs >= 0),
    missed_since_run_id bigint,
    -- A listing that has ended keeps its row. It goes on when the list has the employee again.
    ended_at timestamptz,
    ended_run_id bigint,
    PRIMARY KEY (institution_id, identifier_type, employee_id),
    CONSTRAINT listings_missed_since_a_run CHECK ((missed_runs = 0) = (missed_since_run_id IS NULL)),
    CONSTRAINT listings_ended_by_a_run CHECK ((ended_at IS NULL) = (ended_run_id IS NULL)),
    CONSTRAINT listings_end_after_a_miss CHECK (ended_at IS NULL OR missed_runs > 0)
);
CREATE INDEX listings_employee ON listings (employee_id);
CREATE INDEX listings_missed ON listings (institution_id, identifier_type, employee_id)
    WHERE missed_runs > 0;

-- Locks workplaces, and then their employees, against pages that are being saved. A page locks in the same order:
-- workplaces by id, employees by ZanID. A transaction that changes several workplaces calls this function first.
-- Then it can wait for pages, but it cannot deadlock with them.
CREATE FUNCTION lock_workplaces(ids bigint[]) RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
BEGIN
    PERFORM FROM workplaces WHERE id = ANY(ids) ORDER BY id FOR NO KEY UPDATE;
    PERFORM FROM employees WHERE workplace_id = ANY(ids) ORDER BY zan_id FOR NO KEY UPDATE;
END $$;

-- The employees of a workplace take its institution when it is matched or unmatched. Their history says so.
-- The planner settings prevent a scan of all employees.
CREATE FUNCTION move_employees_of_workplace() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
BEGIN
    WITH held AS MATERIALIZED (
        SELECT e.id, e.institution_id FROM employees e
        WHERE e.workplace_id = NEW.id AND e.institution_id IS DISTINCT FROM NEW.institution_id
        ORDER BY e.zan_id FOR NO KEY UPDATE
    ), moved AS (
        UPDATE employees e SET institution_id = NEW.institution_id, updated_at = now()
        FROM held h WHERE e.id = h.id
    )
    INSERT INTO employee_changes (employee_id, made_by, changes)
    SELECT h.id, made_by(), jsonb_build_object('institution', jsonb_build_array(
        (SELECT name FROM institutions WHERE id = h.institution_id),
        (SELECT name FROM institutions WHERE id = NEW.institution_id)))
    FROM held h;
    RETURN NULL;
END $$;
CREATE TRIGGER workplaces_move_people AFTER UPDATE OF institution_id ON workplaces
    FOR EACH ROW WHEN (OLD.institution_id IS DISTINCT FROM NEW.institution_id)
    EXECUTE FUNCTION move_employees_of_workplace();

-- An employee has the institution of the workplace. This trigger checks the rule for all new rows of a page at once.
CREATE FUNCTION check_employee_institution() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM came) THEN
        RETURN NULL;
    END IF;
    -- The lock keeps the workplaces as they are until the transaction ends.
    PERFORM FROM workplaces WHERE id IN (SELECT DISTINCT workplace_id FROM came) ORDER BY id FOR SHARE;
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT workplace_id, institution_id FROM came WHERE workplace_id IS NOT NULL) c
        WHERE NOT EXISTS (
            SELECT FROM workplaces w
            WHERE w.id = c.workplace_id AND w.institution_id IS NOT DISTINCT FROM c.institution_id))
    THEN
        RAISE EXCEPTION 'a person would stand under another institution than their workplace'
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER employees_check_institution AFTER INSERT ON employees
    REFERENCING NEW TABLE AS came
    FOR EACH STATEMENT EXECUTE FUNCTION check_employee_institution();

-- The same rule for a changed row.
CREATE FUNCTION check_employee_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM workplaces
    WHERE id = NEW.workplace_id AND institution_id IS NOT DISTINCT FROM NEW.institution_id FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a person would stand under another institution than their workplace'
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER employees_move_with_their_workplace AFTER UPDATE OF workplace_id, institution_id ON employees
    FOR EACH ROW
    WHEN (NEW.workplace_id IS NOT NULL AND (NEW.workplace_id, NEW.institution_id)
          IS DISTINCT FROM (OLD.workplace_id, OLD.institution_id))
    EXECUTE FUNCTION check_employee_move();

-- A workplace that has employees stays. A transaction with an older snapshot cannot see employees who came meanwhile.
CREATE FUNCTION check_workplace_is_unused() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'remove workplaces in a transaction that is READ COMMITTED: only there is it seen who came'
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    IF EXISTS (SELECT FROM employees WHERE workplace_id = OLD.id) THEN
        RAISE EXCEPTION 'people work at workplace %', OLD.id USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER workplaces_keep_their_people BEFORE DELETE ON workplaces
    FOR EACH ROW EXECUTE FUNCTION check_workplace_is_unused();

CREATE FUNCTION refuse_workplace_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM employees WHERE workplace_id IS NOT NULL) THEN
        RAISE EXCEPTION 'people work at these workplaces' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER workplaces_are_not_emptied AFTER TRUNCATE ON workplaces
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_workplace_truncate();

-- Each word that occurs in a name (decision 0021). A near spelling is looked for among words, which are few.
-- Two pages may add a word at the same moment, so it may occur twice. A unique key would let the pages deadlock.
-- A word that is in no name any more stays. It finds no employee.
CREATE TABLE name_words (word text NOT NULL);
CREATE INDEX name_words_word ON name_words (word);
CREATE INDEX name_words_alike ON name_words USING gin (word gin_trgm_ops);

CREATE FUNCTION insert_name_words() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
BEGIN
    IF EXISTS (SELECT FROM came) THEN
        -- One text of all names of the page is split into words once.
        INSERT INTO name_words
        SELECT w.word FROM (SELECT DISTINCT string_to_table(search_key(string_agg(name, ' ')), ' ') AS word FROM came) w
        WHERE w.word <> '' AND NOT EXISTS (SELECT FROM name_words n WHERE n.word = w.word);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER employees_update_name_words AFTER INSERT ON employees
    REFERENCING NEW TABLE AS came
    FOR EACH STATEMENT EXECUTE FUNCTION insert_name_words();

CREATE FUNCTION update_name_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO name_words
    SELECT DISTINCT w.word FROM string_to_table(search_key(NEW.name), ' ') AS w(word)
    WHERE w.word <> '' AND NOT EXISTS (SELECT FROM name_words n WHERE n.word = w.word);
    RETURN NULL;
END $$;
CREATE TRIGGER employees_insert_name_words AFTER UPDATE OF name ON employees
    FOR EACH ROW WHEN (NEW.name IS DISTINCT FROM OLD.name)
    EXECUTE FUNCTION update_name_words();
