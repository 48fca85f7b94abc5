-- The register of institutions, and the workplaces that the records of employees name.

-- The extension finds similar names. Similarity is only a suggestion: no name is matched by it.
DO $$
BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
EXCEPTION WHEN OTHERS THEN
    RAISE EXCEPTION 'the extension pg_trgm, which finds names that are alike, cannot be created here (%). '
        'Let the administrator of this server install PostgreSQL''s "contrib" part, or run '
        'CREATE EXTENSION pg_trgm in this database, and migrate again', SQLERRM;
END $$;

-- Brings text into one form: Unicode's form C, no invisible characters, one space for each run of white space.
-- clean() in hrims/text.py is the same function (decision 0020).
CREATE FUNCTION clean_text(given text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN given ~ '[^ -~]|  |^ | $'
    THEN btrim(regexp_replace(normalize(translate(given, U&'\00AD\200B\2060\FEFF', ''), NFC),
        '[\t\n\v\f\r\u001C-\u001F \u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]+', ' ', 'g'))
    ELSE given END;

-- The one definition of "the same name". Case, spaces, punctuation and the kind of apostrophe do not count.
-- The translated apostrophes are letters to Unicode; all other apostrophes are punctuation.
CREATE FUNCTION name_key(name text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN btrim(regexp_replace(
    lower(translate(clean_text(name), U&'\02B9\02BB\02BC\02BD\02BE\02BF\02C8\A78C', repeat('''', 8))),
    '[^[:alnum:]]+', ' ', 'g'));

-- The LIKE patterns that a name_key must match to contain every word of a search.
CREATE FUNCTION word_patterns(wanted text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN array(SELECT '%' || word || '%' FROM string_to_table(name_key(wanted), ' ') AS word);

-- The user who makes the changes of this transaction outside a run. The code sets it; the default is the register.
CREATE FUNCTION made_by() RETURNS text LANGUAGE sql STABLE
RETURN coalesce(nullif(current_setting('hrims.made_by', true), ''), 'register');

CREATE TABLE institutions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 500 AND name = btrim(name)),
    name_key text GENERATED ALWAYS AS (name_key(name)) STORED CHECK (name_key <> ''),
    vote_code text CHECK (vote_code ~ '^[0-9]{1,10}$'),
    tin text CHECK (tin ~ '^[0-9]{9}$'),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    -- The tries of its runs. A NULL leaves the decision to the settings of the workers.
    attempts integer CHECK (attempts BETWEEN 1 AND 50),
    attempt_pause double precision CHECK (attempt_pause BETWEEN 0 AND 3600),
    deadline_minutes integer CHECK (deadline_minutes BETWEEN 1 AND 43200),
    -- Only workers of this pool carry out its runs. NULL means the workers without a pool.
    pool text CHECK (pool ~ '^[a-z0-9][a-z0-9-]{0,29}$'),
    CONSTRAINT institutions_name_once UNIQUE (name_key),
    CONSTRAINT institutions_vote_code_once UNIQUE (vote_code),
    CONSTRAINT institutions_tin_once UNIQUE (tin)
);
CREATE INDEX institutions_name_alike ON institutions USING gist (name_key gist_trgm_ops);
CREATE INDEX institutions_pool ON institutions (pool) WHERE pool IS NOT NULL;

-- A name under which employees work. A name that the register does not know waits here without an institution.
CREATE TABLE workplaces (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 500),
    name_key text GENERATED ALWAYS AS (name_key(name)) STORED,
    institution_id bigint REFERENCES institutions,
    matched_by text CHECK (matched_by IN ('name', 'alias')),
    created_at timestamptz NOT NULL DEFAULT now(),
    -- The user who mapped an alias.
    mapped_by text CHECK (mapped_by <> ''),
    mapped_at timestamptz,
    CONSTRAINT workplaces_name_once UNIQUE (name_key),
    CONSTRAINT workplaces_matched_or_waiting CHECK ((institution_id IS NULL) = (matched_by IS NULL)),
    CONSTRAINT workplaces_alias_says_who CHECK
        ((coalesce(matched_by, '') = 'alias') = (mapped_by IS NOT NULL)
         AND (mapped_by IS NULL) = (mapped_at IS NULL)),
    -- "-" and "." are no names. Different workplaces share them, so they cannot be matched.
    CONSTRAINT workplaces_matched_is_named CHECK (name_key <> '' OR matched_by IS NULL)
);
CREATE INDEX workplaces_institution ON workplaces (institution_id);

-- A new name on the register takes the workplaces that wait for it, and none that a user has mapped.
-- A workplace that matched a name which the register drops keeps its institution. It becomes an alias, which a user
-- can take back. The lock keeps out a page that creates such a workplace at the same moment (add_workplaces in
-- hrims/employees).
CREATE FUNCTION match_waiting_workplaces() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('hrims register'));
    UPDATE workplaces SET institution_id = NEW.id, matched_by = 'name'
    WHERE name_key = NEW.name_key AND institution_id IS NULL;
    UPDATE workplaces SET matched_by = 'alias', mapped_by = made_by(), mapped_at = now()
    WHERE institution_id = NEW.id AND matched_by = 'name' AND name_key <> NEW.name_key;
    RETURN NULL;
END $$;
CREATE TRIGGER institutions_match_waiting AFTER INSERT OR UPDATE OF name ON institutions
    FOR EACH ROW EXECUTE FUNCTION match_waiting_workplaces();
