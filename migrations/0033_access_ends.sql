-- Tokens end: by revocation, on a day that was set, or with the user who answers for them. Users are disabled.

ALTER TABLE tokens
    ADD COLUMN owner_id bigint REFERENCES users,
    ADD COLUMN expires_at timestamptz,
    -- Rounded: a token that is used all day is written once a minute.
    ADD COLUMN last_used_at timestamptz;
CREATE INDEX tokens_owner ON tokens (owner_id) WHERE owner_id IS NOT NULL;
CREATE INDEX tokens_name ON tokens (name) WHERE revoked_at IS NULL;

-- One administrator must stay to let others in again. The lock makes two who disable one another wait; the second sees
-- what the first has done.
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
