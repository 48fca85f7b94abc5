-- Sign-in: links with which users choose their first password, two-step sign-in, and identities of an OpenID provider.

-- A link works once. The table keeps only a hash of its token, so that a copy of the table opens nothing.
CREATE TABLE setup_links (
    token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX setup_links_user ON setup_links (user_id);
CREATE INDEX setup_links_expires ON setup_links (expires_at);

-- A link ends with the password that it was made for, and with its user: it must not set another password days after
-- an administrator has reset it, or after a disabled user was enabled again.
CREATE FUNCTION end_setup_links() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM setup_links WHERE user_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER users_end_setup_links AFTER UPDATE OF password_hash, disabled_at ON users
    FOR EACH ROW WHEN (NEW.password_hash IS DISTINCT FROM OLD.password_hash OR NEW.disabled_at IS NOT NULL)
    EXECUTE FUNCTION end_setup_links();

-- Users with an authenticator app. Without confirmed_at the user has not entered the first code yet.
CREATE TABLE two_step (
    user_id bigint PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    -- Encrypted.
    secret bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    confirmed_at timestamptz,
    -- The 30 seconds of the last accepted code. A code of the same time or an earlier one is refused.
    last_step bigint NOT NULL DEFAULT 0
);

-- Codes for users who have lost their app. Each works once. The table keeps hashes.
CREATE TABLE recovery_codes (
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    code_hash bytea NOT NULL CHECK (length(code_hash) = 32),
    PRIMARY KEY (user_id, code_hash)
);

-- Users whose password was right and whose code is still missing.
CREATE TABLE sign_in_challenges (
    token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    -- The password that was right. If it is changed meanwhile, the code is of no use.
    password_hash text NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX sign_in_challenges_user ON sign_in_challenges (user_id);
CREATE INDEX sign_in_challenges_expires ON sign_in_challenges (expires_at);

-- Who a user is at an OpenID provider.
CREATE TABLE openid_identities (
    issuer text NOT NULL,
    subject text NOT NULL,
    user_id bigint NOT NULL UNIQUE REFERENCES users ON DELETE CASCADE,
    PRIMARY KEY (issuer, subject)
);
