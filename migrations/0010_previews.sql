-- Previews: what a listing would change. It is kept until a user applies it or throws it away, or it is too old.

-- A preview is applied once. An apply that failed or was cancelled is tried again; no second apply is requested.
CREATE UNIQUE INDEX runs_applied_once ON runs (of_run_id) WHERE kind = 'apply';
CREATE INDEX runs_previews_kept ON runs (finished_at) WHERE kind = 'preview' AND emptied_at IS NULL;

-- The employees of a preview, as an apply would save them. Its rejects are in the table rejects.
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

-- Only a preview that is completed and still kept can be applied.
CREATE FUNCTION check_preview_is_applicable() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER runs_check_preview BEFORE INSERT ON runs
    FOR EACH ROW WHEN (NEW.kind = 'apply') EXECUTE FUNCTION check_preview_is_applicable();
