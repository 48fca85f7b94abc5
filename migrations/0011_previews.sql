-- Previews: what a listing would change, kept apart until somebody applies it or throws it away.

ALTER TABLE runs
    -- The readings whose people were counted when the run ended.
    ADD COLUMN counted smallint[],
    -- Of a preview: the difference as it was when it ended. Of an apply: the one that somebody approved.
    ADD COLUMN version text CHECK (version <> ''),
    -- When a preview gave up what it had kept, and why.
    ADD COLUMN emptied_at timestamptz,
    ADD COLUMN emptied_why text CHECK (emptied_why IN ('applied', 'thrown_away', 'too_old')),
    ADD CONSTRAINT runs_emptied_are_previews_that_ended CHECK
        (emptied_at IS NULL OR (kind = 'preview' AND finished_at IS NOT NULL)),
    ADD CONSTRAINT runs_emptied_say_why CHECK ((emptied_at IS NULL) = (emptied_why IS NULL));

-- A preview is applied once; an apply that failed or was cancelled is tried again, not asked for anew.
CREATE UNIQUE INDEX runs_applied_once ON runs (of_run_id) WHERE kind = 'apply';
CREATE INDEX runs_previews_kept ON runs (finished_at) WHERE kind = 'preview' AND emptied_at IS NULL;

-- The people of a preview as they would be saved; its rejects stand in the table rejects, as every run's do.
CREATE TABLE preview_people (
    run_id bigint NOT NULL,
    reading smallint NOT NULL,
    page_size integer NOT NULL,
    page_number integer NOT NULL,
    position integer NOT NULL CHECK (position >= 0),
    zan_id text NOT NULL CHECK (zan_id ~ '^[0-9]{8,10}$'),
    name text,
    gender text,
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
    status text NOT NULL,
    PRIMARY KEY (run_id, reading, page_size, page_number, position),
    FOREIGN KEY (run_id, reading, page_size, page_number) REFERENCES run_pages ON DELETE CASCADE
);
CREATE INDEX preview_people_person ON preview_people (run_id, zan_id);

-- Only what was fetched whole enough to have an outcome, and is still kept, can be applied.
CREATE FUNCTION refuse_to_apply_what_is_not_there() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM runs
    WHERE id = NEW.of_run_id AND kind = 'preview' AND state = 'completed' AND emptied_at IS NULL
      AND institution_id = NEW.institution_id
    FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'run % is no preview that can be applied', NEW.of_run_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER runs_apply_what_is_there BEFORE INSERT ON runs
    FOR EACH ROW WHEN (NEW.kind = 'apply') EXECUTE FUNCTION refuse_to_apply_what_is_not_there();
