-- The register of institutions, and the workplaces that people's employments name.

-- The one definition of "the same name": case, spaces and punctuation do not count.
CREATE FUNCTION name_key(name text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN btrim(regexp_replace(lower(name), '[^[:alnum:]]+', ' ', 'g'));

CREATE TABLE institutions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 500 AND name = btrim(name)),
    name_key text GENERATED ALWAYS AS (name_key(name)) STORED CHECK (name_key <> ''),
    vote_code text CHECK (vote_code ~ '^[0-9]{1,10}$'),
    tin text CHECK (tin ~ '^[0-9]{9}$'),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT institutions_name_once UNIQUE (name_key),
    CONSTRAINT institutions_vote_code_once UNIQUE (vote_code),
    CONSTRAINT institutions_tin_once UNIQUE (tin)
);

-- A name under which people work. Whom the register does not know waits here with no institution.
CREATE TABLE workplaces (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 500),
    name_key text GENERATED ALWAYS AS (name_key(name)) STORED,
    institution_id bigint REFERENCES institutions,
    matched_by text CHECK (matched_by IN ('name', 'alias')),
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT workplaces_name_once UNIQUE (name_key),
    CONSTRAINT workplaces_matched_or_waiting CHECK ((institution_id IS NULL) = (matched_by IS NULL))
);
CREATE INDEX workplaces_institution ON workplaces (institution_id);
