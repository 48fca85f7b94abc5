-- Access: users, their sessions and searches, tokens of machines, shared secrets.

CREATE TABLE users (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9._@-]{0,63}$'),
    role text NOT NULL CHECK (role IN ('viewer', 'officer', 'supervisor', 'administrator', 'auditor')),
    -- The user sees all institutions; otherwise those in user_institutions.
    all_institutions boolean NOT NULL DEFAULT false,
    -- Null until the user chooses one by a set-up link, and for users of an OpenID provider: no password matches.
    password_hash text CHECK (password_hash LIKE '$argon2id$%'),
    -- After the sign-in only the page that changes the password is open.
    must_change_password boolean NOT NULL DEFAULT false,
    -- The user is or was an administrator.
    was_administrator boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    disabled_at timestamptz,
    CONSTRAINT users_name_once UNIQUE (name),
    -- Administrators and auditors manage and read what belongs to no institution.
    CONSTRAINT users_global_roles_have_all CHECK (all_institutions OR role NOT IN ('administrator', 'auditor'))
);

-- One administrator stays enabled and can let others in again. If two administrators disable one another, the lock
-- makes the second transaction wait. Then it sees what the first has done.
CREATE FUNCTION keep_an_administrator() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('hrims administrators'));
    IF NOT EXISTS (SELECT FROM users WHERE role = 'administrator' AND disabled_at IS NULL) THEN
        RAISE EXCEPTION 'the last enabled administrator must stay'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'users_keep_an_administrator';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER users_keep_an_administrator AFTER UPDATE OF role, disabled_at OR DELETE ON users
    FOR EACH ROW WHEN (OLD.role = 'administrator' AND OLD.disabled_at IS NULL)
    EXECUTE FUNCTION keep_an_administrator();

CREATE FUNCTION remember_administrator() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.was_administrator := NEW.role = 'administrator' OR (TG_OP = 'UPDATE' AND OLD.was_administrator);
    RETURN NEW;
END $$;
CREATE TRIGGER users_remember_administrator BEFORE INSERT OR UPDATE ON users
    FOR EACH ROW EXECUTE FUNCTION remember_administrator();

-- A user who leaves a role that has all institutions has none until some are given: the role says nothing about which.
CREATE FUNCTION drop_all_institutions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.all_institutions := false;
    RETURN NEW;
END $$;
CREATE TRIGGER users_leave_role_with_all BEFORE UPDATE OF role ON users
    FOR EACH ROW WHEN (OLD.role IN ('administrator', 'auditor') AND NEW.role NOT IN ('administrator', 'auditor'))
    EXECUTE FUNCTION drop_all_institutions();

-- The institutions of a user without all_institutions. An institution that is registered later is not added.
CREATE TABLE user_institutions (
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    institution_id bigint NOT NULL REFERENCES institutions ON DELETE CASCADE,
    PRIMARY KEY (user_id, institution_id)
);
CREATE INDEX user_institutions_institution ON user_institutions (institution_id);

-- The institutions of a user; NULL for all.
CREATE FUNCTION scope_of(member bigint) RETURNS bigint[] LANGUAGE sql STABLE
RETURN (SELECT CASE WHEN NOT u.all_institutions THEN
            array(SELECT ui.institution_id FROM user_institutions ui WHERE ui.user_id = u.id ORDER BY 1) END
        FROM users u WHERE u.id = member);

-- Whether a scope has an institution. The scope NULL has all, also what has no institution.
CREATE FUNCTION in_scope(institution bigint, scope bigint[]) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN scope IS NULL OR coalesce(institution = ANY (scope), false);

-- Whether something is the viewer's own request. For a token that is limited to institutions it is what that same
-- token requested; viewer_token is NULL for all others.
CREATE FUNCTION is_own_request(requester bigint, requester_token bigint, viewer bigint, viewer_token bigint)
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(requester = viewer AND (viewer_token IS NULL OR requester_token = viewer_token), false);

-- Whether a user may see a run: it is of an institution in the scope, or the user's own request of one person.
CREATE FUNCTION run_in_scope(institution bigint, requester bigint, requester_token bigint, scope bigint[], viewer bigint,
                             viewer_token bigint)
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN scope IS NULL OR coalesce(institution = ANY (scope),
                                 is_own_request(requester, requester_token, viewer, viewer_token));

-- Whether a user may see an employee: one who works at, or is listed by, an institution in the scope.
CREATE FUNCTION person_in_scope(person bigint, workplace_institution bigint, scope bigint[])
RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
RETURN scope IS NULL OR coalesce(workplace_institution = ANY (scope), false) OR EXISTS (
    SELECT FROM listings l
    WHERE l.employee_id = person AND l.ended_at IS NULL AND l.institution_id = ANY (scope));

-- Whether a user may see a workplace: it belongs to an institution in the scope, or one of them lists an employee of it.
CREATE FUNCTION workplace_in_scope(workplace bigint, institution bigint, scope bigint[])
RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
RETURN scope IS NULL OR coalesce(institution = ANY (scope), false) OR institution IS NULL AND EXISTS (
    SELECT FROM employees e JOIN listings l ON l.employee_id = e.id AND l.ended_at IS NULL
    WHERE e.workplace_id = workplace AND l.institution_id = ANY (scope));

-- The sign-in of a browser. The table keeps only a hash of the cookie, so that a copy of the table opens nothing.
CREATE TABLE sessions (
    token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
    -- Names the session on the page of its user.
    id bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    -- The address and the browser of the sign-in, and of the last request.
    address inet,
    user_agent text CHECK (length(user_agent) <= 300),
    created_at timestamptz NOT NULL DEFAULT now(),
    -- To the minute, so that a session in use is written once a minute.
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    -- When the password or a code was last typed.
    confirmed_at timestamptz NOT NULL DEFAULT now(),
    idle_limit interval NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expires ON sessions (expires_at);

-- The sign-in of a machine to the API. A token belongs to a user and never exceeds that user's rights. It ends when it
-- is revoked, when it expires, or when its user is disabled.
CREATE TABLE tokens (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9 ._@-]{0,63}$'),
    user_id bigint NOT NULL REFERENCES users,
    scope text NOT NULL CHECK (scope IN ('read', 'sync', 'manage')),
    -- The only institutions of the user that the token covers; NULL for all of them.
    institutions bigint[] CHECK (cardinality(institutions) BETWEEN 1 AND 10000),
    -- Whether its user made it. Another user who holds it could approve an own request with it.
    may_approve boolean NOT NULL,
    token_hash bytea NOT NULL CHECK (length(token_hash) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz,
    expires_at timestamptz,
    -- To the minute, so that a token in constant use is written once a minute.
    last_used_at timestamptz,
    CONSTRAINT tokens_hash_once UNIQUE (token_hash)
);
CREATE INDEX tokens_user ON tokens (user_id);
-- The name of a token that is not revoked says which machine made a change.
CREATE UNIQUE INDEX tokens_one_live_a_name ON tokens (name) WHERE revoked_at IS NULL;

-- Browsers in which a user has signed in. The cookie of such a browser keeps strangers' failures away from the user.
CREATE TABLE known_devices (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    token_hash bytea NOT NULL CHECK (length(token_hash) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    CONSTRAINT known_devices_once UNIQUE (user_id, token_hash)
);
CREATE INDEX known_devices_expires ON known_devices (expires_at);

-- Failed sign-ins. The table counts them for all web processes together.
CREATE TABLE failed_sign_ins (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- A keyed hash: what was typed as the name may be a password.
    name_hash bytea NOT NULL CHECK (length(name_hash) = 32),
    address inet,
    -- A failure in a known device of the user counts for that device alone.
    device_id bigint REFERENCES known_devices ON DELETE CASCADE,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX failed_sign_ins_name ON failed_sign_ins (name_hash, at) WHERE device_id IS NULL;
CREATE INDEX failed_sign_ins_address ON failed_sign_ins (address, at) WHERE device_id IS NULL;
CREATE INDEX failed_sign_ins_device ON failed_sign_ins (device_id, at) WHERE device_id IS NOT NULL;
CREATE INDEX failed_sign_ins_at ON failed_sign_ins (at);

-- Searches for employees whose results a browser may still request. The words are personal data, so an address holds
-- a random token instead. A row expires after half an hour.
CREATE TABLE people_searches (
    -- A hash, so that a copy of the table opens nothing.
    token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    words text NOT NULL CHECK (length(words) BETWEEN 1 AND 100),
    expires_at timestamptz NOT NULL
);
-- A user keeps only so many searches, the newest.
CREATE INDEX people_searches_user ON people_searches (user_id, expires_at);
CREATE INDEX people_searches_expires ON people_searches (expires_at);

-- Secrets that all processes share. hrims.vault encrypts secret_key and key_check. Two values are in clear: instance is
-- no secret, and reject_key is used in SQL (decision 0032).
CREATE TABLE app_secrets (
    name text PRIMARY KEY,
    value text NOT NULL CHECK (length(value) >= 32)
);
