-- Who may: users, their sessions, machines' tokens; and the record of what was done.

CREATE TABLE users (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9._@-]{0,63}$'),
    role text NOT NULL CHECK (role IN ('administrator', 'officer', 'auditor')),
    password_hash text NOT NULL CHECK (password_hash LIKE '$argon2id$%'),
    created_at timestamptz NOT NULL DEFAULT now(),
    disabled_at timestamptz,
    CONSTRAINT users_name_once UNIQUE (name)
);

-- A browser's sign-in. Only a hash of the cookie is kept, so that a copy of the table opens nothing.
CREATE TABLE sessions (
    token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    address inet,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expires ON sessions (expires_at);

-- A machine's sign-in to the API.
CREATE TABLE tokens (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9 ._@-]{0,63}$'),
    role text NOT NULL CHECK (role IN ('administrator', 'officer', 'auditor')),
    token_hash bytea NOT NULL CHECK (length(token_hash) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz,
    CONSTRAINT tokens_hash_once UNIQUE (token_hash)
);

-- Failed sign-ins, counted in Postgres so that the limit holds over all web processes.
CREATE TABLE failed_sign_ins (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    address inet,
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX failed_sign_ins_name ON failed_sign_ins (name, at);
CREATE INDEX failed_sign_ins_address ON failed_sign_ins (address, at);
CREATE INDEX failed_sign_ins_at ON failed_sign_ins (at);

-- Secrets that every web process must share, made at first start.
CREATE TABLE app_secrets (
    name text PRIMARY KEY,
    value text NOT NULL CHECK (length(value) >= 32)
);

-- Every write by a person, in the transaction of that write. Rows are added and never altered.
CREATE TABLE audit_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL CHECK (actor <> ''),
    via text NOT NULL CHECK (via IN ('page', 'api', 'command', 'system')),
    address inet,
    action text NOT NULL CHECK (action ~ '^[a-z_]+(\.[a-z_]+)+$'),
    subject text,
    details jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_log_subject ON audit_log (subject, id);
CREATE INDEX audit_log_actor ON audit_log (actor, id);
CREATE INDEX audit_log_at ON audit_log (at);

CREATE FUNCTION refuse_to_alter_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit record is only ever added to' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_log_added_to_only BEFORE UPDATE OR DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION refuse_to_alter_audit();
CREATE TRIGGER audit_log_not_emptied BEFORE TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_alter_audit();
