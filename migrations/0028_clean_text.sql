-- Text is kept in one form: Unicode's form C, no invisible characters, one space for each run of white space. Names
-- of institutions and workplaces that differ only in their apostrophes are the same name.

DO $$
BEGIN
    IF current_setting('server_encoding') <> 'UTF8' THEN
        RAISE EXCEPTION 'this database has the encoding %; HRIMS Sync needs UTF8, because names are compared by '
            'Unicode''s rules. Nothing was changed. Copy the data into a database that was created with ENCODING ''UTF8''',
            current_setting('server_encoding');
    END IF;
END $$;

-- The same function as clean() in hrims/text.py. Rows that were saved before are cleaned when a sync next saves their
-- person (decision 0020), so both forms occur in the table.
CREATE FUNCTION clean_text(given text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN given ~ '[^ -~]|  |^ | $'
    THEN btrim(regexp_replace(normalize(translate(given, U&'\00AD\200B\2060\FEFF', ''), NFC),
        '[\t\n\v\f\r\u001C-\u001F \u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]+', ' ', 'g'))
    ELSE given END;

-- The one definition of "the same name": case, spaces, punctuation and the kind of apostrophe do not count. Four of
-- the apostrophes are punctuation anyway; the others are letters to Unicode.
CREATE OR REPLACE FUNCTION name_key(name text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN btrim(regexp_replace(
    lower(translate(clean_text(name), U&'\02B9\02BB\02BC\02BD\02BE\02BF\02C8\A78C', repeat('''', 8))),
    '[^[:alnum:]]+', ' ', 'g'));

-- Stored keys follow the new definition. Pages and decisions wait meanwhile, in their own order: register, workplaces,
-- people.
SELECT pg_advisory_xact_lock(hashtext('hrims register'));
LOCK TABLE institutions, workplaces IN SHARE ROW EXCLUSIVE MODE;

-- First the workplaces that are one from now on.
CREATE TEMP TABLE merged ON COMMIT DROP AS
SELECT w.id, first_value(w.id) OVER same AS into_id
FROM workplaces w
WINDOW same AS (
    -- What a person decided counts before what the register matched, the latest decision first.
    PARTITION BY name_key(w.name)
    ORDER BY (w.matched_by = 'alias') IS TRUE DESC, w.mapped_at DESC NULLS LAST, w.institution_id IS NULL, w.id);
DELETE FROM merged WHERE id = into_id;
SELECT hold_workplaces(array(SELECT id FROM merged UNION SELECT into_id FROM merged));

INSERT INTO employee_changes (employee_id, made_by, changes)
SELECT e.id, made_by(), jsonb_build_object('institution', jsonb_build_array(f.name, i.name))
FROM merged m
JOIN employees e ON e.workplace_id = m.id
JOIN workplaces w ON w.id = m.into_id
LEFT JOIN institutions f ON f.id = e.institution_id
LEFT JOIN institutions i ON i.id = w.institution_id
WHERE e.institution_id IS DISTINCT FROM w.institution_id;

UPDATE employees e SET workplace_id = w.id, institution_id = w.institution_id, updated_at = now()
FROM merged m JOIN workplaces w ON w.id = m.into_id
WHERE e.workplace_id = m.id;

DELETE FROM workplaces w USING merged m WHERE w.id = m.id;

UPDATE workplaces SET name = name WHERE name_key <> name_key(name);

-- Institutions carry runs and lists, so two of them are never made one here.
DO $$
DECLARE
    same text;
BEGIN
    SELECT string_agg(format('%s (id %s)', name, id), ' and ' ORDER BY id) INTO same
    FROM institutions GROUP BY name_key(name) HAVING count(*) > 1 LIMIT 1;
    IF same IS NOT NULL THEN
        RAISE EXCEPTION 'the register has one name twice: %. They differ only in their apostrophes or in the form of '
            'their characters. Give one of them another name (UPDATE institutions SET name = … WHERE id = …) and migrate '
            'again', same;
    END IF;
END $$;

UPDATE institutions SET name = name WHERE name_key <> name_key(name);

-- A workplace that waited has the name of an institution now.
UPDATE workplaces w SET institution_id = i.id, matched_by = 'name'
FROM institutions i
WHERE i.name_key = w.name_key AND w.institution_id IS NULL;
