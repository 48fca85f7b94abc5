-- Names at which people work that the register lacks: who said which institution is meant, and when; whom
-- it moved, and what else the name is like.

-- Likeness only suggests; nothing is matched by it.
DO $$
BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
EXCEPTION WHEN OTHERS THEN
    RAISE EXCEPTION 'the extension pg_trgm, which finds names that are alike, cannot be created here (%). '
        'Let whoever keeps this server install PostgreSQL''s "contrib" part, or run '
        'CREATE EXTENSION pg_trgm in this database, and migrate again', SQLERRM;
END $$;
CREATE INDEX institutions_name_alike ON institutions USING gist (name_key gist_trgm_ops);

-- What every name_key is LIKE that has all words of what somebody searches for.
CREATE FUNCTION word_patterns(wanted text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN array(SELECT '%' || word || '%' FROM string_to_table(name_key(wanted), ' ') AS word);

ALTER TABLE workplaces
    ADD COLUMN mapped_by text CHECK (mapped_by <> ''),
    ADD COLUMN mapped_at timestamptz,
    ADD CONSTRAINT workplaces_alias_says_who CHECK
        ((coalesce(matched_by, '') = 'alias') = (mapped_by IS NOT NULL)
         AND (mapped_by IS NULL) = (mapped_at IS NULL)),
    -- "-" and "." are no names: everybody whose employment says so would move together.
    ADD CONSTRAINT workplaces_matched_is_named CHECK (name_key <> '' OR matched_by IS NULL);

-- Who makes the changes of this transaction, when it is no run: set by the code, else the register itself.
CREATE FUNCTION made_by() RETURNS text LANGUAGE sql STABLE
RETURN coalesce(nullif(current_setting('hrims.made_by', true), ''), 'register');

-- Holds workplaces, and then their people, against pages that are being saved. The order is the one in which
-- a page locks: workplaces by id, people by ZanID. So whoever changes several workplaces, and has held them
-- first, waits for pages but never with them in a ring.
CREATE FUNCTION hold_workplaces(ids bigint[]) RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
BEGIN
    PERFORM FROM workplaces WHERE id = ANY(ids) ORDER BY id FOR NO KEY UPDATE;
    PERFORM FROM employees WHERE workplace_id = ANY(ids) ORDER BY zan_id FOR NO KEY UPDATE;
END $$;

-- When a workplace is matched, or no longer is, its people follow, and their history says so. The settings
-- keep the planner from reading all people to find these.
CREATE OR REPLACE FUNCTION move_people_with_workplace() RETURNS trigger LANGUAGE plpgsql
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

-- A new name on the register takes the workplaces that waited for it, and none that a person has mapped.
-- What matched by a name that the register drops stays where it is, as an alias that can be taken back.
CREATE OR REPLACE FUNCTION match_waiting_workplaces() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('hrims register'));
    UPDATE workplaces SET institution_id = NEW.id, matched_by = 'name'
    WHERE name_key = NEW.name_key AND institution_id IS NULL;
    UPDATE workplaces SET matched_by = 'alias', mapped_by = made_by(), mapped_at = now()
    WHERE institution_id = NEW.id AND matched_by = 'name' AND name_key <> NEW.name_key;
    RETURN NULL;
END $$;

CREATE VIEW workplaces_v AS
SELECT w.id AS workplace_id, w.name AS workplace, i.name AS institution, w.institution_id, w.matched_by,
       w.mapped_by, w.mapped_at, w.created_at,
       (SELECT count(*) FROM employees e WHERE e.workplace_id = w.id) AS people
FROM workplaces w
LEFT JOIN institutions i ON i.id = w.institution_id;
