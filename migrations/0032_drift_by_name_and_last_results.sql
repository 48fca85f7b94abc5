-- The counts of drift go by name: a column that is added later moves no other count.
-- The columns filled and present stay for workers of the older version until a later migration drops them.
ALTER TABLE run_pages ADD COLUMN counts jsonb;
COMMENT ON COLUMN run_pages.counts IS
    'filled: people with each column; present: sampled records with each field. An absent name was not counted.';

-- Only the pages of runs that have not completed are summed again. The two lists are those of the older version.
WITH layout AS (
    SELECT regexp_split_to_array(btrim('
        zan_id name gender date_of_birth place_of_birth region country_of_birth phone_number contact_address
        zssf_number payroll_number cadre salary_scale ministry department appointment_type contract_type
        recent_title_date current_reporting_office current_workplace employment_date confirmation_date
        retirement_date highest_education status', E' \n'), '\s+') AS columns,
           regexp_split_to_array(btrim('
        personalInfo employmentHistories salaryInformation educationHistories contractDetails
        personalInfo.zanIdNumber personalInfo.payrollNumber personalInfo.zssfNumber personalInfo.firstName
        personalInfo.middleName personalInfo.lastName personalInfo.genderName personalInfo.birthDate
        personalInfo.placeOfBirth personalInfo.districtName personalInfo.birthRegionName personalInfo.regionName
        personalInfo.birthCountryName personalInfo.primaryPhone personalInfo.workPhone personalInfo.houseNumber
        personalInfo.street personalInfo.city personalInfo.employmentDate
        personalInfo.employmentConfirmationDate personalInfo.isEmployeeConfirmed employmentHistories.isCurrent
        employmentHistories.titlePrefixName employmentHistories.titleName employmentHistories.gradeName
        employmentHistories.entityName employmentHistories.parentEntityName employmentHistories.subEntityName
        employmentHistories.divisionName employmentHistories.appointmentTypeName
        employmentHistories.employeeStatusName employmentHistories.employmentStatusName
        employmentHistories.fromDate employmentHistories.toDate salaryInformation.isCurrent
        salaryInformation.salaryScaleName salaryInformation.basicSalary educationHistories.isEmploymentHighest
        educationHistories.educationLevel educationHistories.institution educationHistories.levelName
        educationHistories.institutionName educationHistories.yearCompleted contractDetails.isActive
        contractDetails.contractTypeName contractDetails.fromDate contractDetails.toDate', E' \n'), '\s+') AS fields
)
UPDATE run_pages p
SET counts = jsonb_strip_nulls(jsonb_build_object(
    'filled', (SELECT jsonb_object_agg(c.name, c.n) FROM unnest(l.columns, p.filled) AS c(name, n)),
    'present', CASE WHEN p.sampled > 0 THEN
        (SELECT jsonb_object_agg(c.name, c.n) FROM unnest(l.fields, p.present) AS c(name, n)) END))
FROM layout l, runs r
WHERE r.id = p.run_id AND r.state <> 'completed'
  AND cardinality(p.filled) = cardinality(l.columns) AND cardinality(p.present) = cardinality(l.fields);


-- The last result of an institution: its newest completed run of a whole listing. Whatever began after it and
-- failed, was cancelled or still waits does not hide it.
CREATE FUNCTION last_completed(institution bigint)
RETURNS TABLE (last_run_id bigint, last_outcome text, last_people integer, last_finished_at timestamptz)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT r.id, r.outcome, r.people, r.finished_at FROM runs r
    WHERE r.institution_id = institution AND r.state = 'completed' AND r.kind IN ('sync', 'apply')
    ORDER BY r.id DESC LIMIT 1;
END;
