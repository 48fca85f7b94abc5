-- Whose record a reject is, for HR officers who have to find the person: as the record says it, empty where it says
-- nothing or was never seen. Personal data: deleted with the page of the run, and of a closed case after
-- HRIMS_KEEP_DETAILS_DAYS (hrims/jobs/retention).

ALTER TABLE rejects
    ADD COLUMN name text CHECK (name <> ''),
    ADD COLUMN payroll_number text CHECK (payroll_number <> ''),
    ADD COLUMN workplace text CHECK (workplace <> '');

ALTER TABLE reject_cases
    ADD COLUMN name text CHECK (name <> ''),
    ADD COLUMN payroll_number text CHECK (payroll_number <> ''),
    ADD COLUMN workplace text CHECK (workplace <> ''),
    ADD COLUMN has_person boolean NOT NULL
        GENERATED ALWAYS AS (num_nonnulls(name, payroll_number, workplace) > 0) STORED;

-- The closed cases whose person is still to be deleted, the oldest first.
CREATE INDEX reject_cases_closed_with_person ON reject_cases (closed_at) WHERE has_person AND closed_at IS NOT NULL;

CREATE OR REPLACE VIEW rejects_v AS
SELECT c.id, i.name AS institution, c.institution_id, c.identifier_type, c.code, c.field, c.reason, c.masked,
       c.place + 1 AS record, c.page_size, c.page_number, c.position, c.times,
       c.first_run_id AS first_job_id, c.first_seen_at, c.last_run_id AS last_job_id, c.last_seen_at,
       CASE WHEN c.closed_at IS NULL THEN 'open' ELSE 'closed' END AS state,
       c.closed_at, c.closed_run_id AS closed_job_id, c.name, c.payroll_number, c.workplace
FROM reject_cases c
JOIN institutions i ON i.id = c.institution_id;
