-- Which institutions each role may read in the views of the schema `reporting`, which `hrims migrate` creates
-- (hrims/db_roles). Only the owner writes here: INSERT INTO reporting_scopes VALUES ('analyst', 3).

CREATE TABLE reporting_scopes (
    -- A role of the server, or a group that roles are members of.
    role text NOT NULL CHECK (role <> ''),
    -- NULL means all institutions, and what belongs to none.
    institution_id bigint REFERENCES institutions ON DELETE CASCADE,
    CONSTRAINT reporting_scopes_once UNIQUE NULLS NOT DISTINCT (role, institution_id)
);

-- The views of the queue call these functions. A reader of such a view has no right on the tables of the queue.
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION starts_per_minute SECURITY DEFINER SET search_path = %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION earliest_start SECURITY DEFINER SET search_path = %I, pg_temp', current_schema());
END $$;
