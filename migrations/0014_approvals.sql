-- Approvals: what one user requests and another user must approve before it is done.

CREATE TABLE approvals (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    action text NOT NULL CHECK (action IN ('leavers.undo', 'batch.cancel', 'user.make_administrator', 'connection.change')),
    -- The object, like batch:12.
    subject text NOT NULL CHECK (subject <> ''),
    -- The institutions that it is about. NULL if it is about none in particular.
    institutions bigint[],
    -- What the action needs besides the subject. It holds no personal data; secrets are encrypted.
    details jsonb NOT NULL DEFAULT '{}',
    requested_by text NOT NULL CHECK (requested_by <> ''),
    requester_id bigint NOT NULL REFERENCES users,
    requested_at timestamptz NOT NULL DEFAULT now(),
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'approved', 'refused', 'withdrawn', 'expired', 'outdated')),
    decided_by text CHECK (decided_by <> ''),
    decided_by_id bigint REFERENCES users,
    decided_at timestamptz,
    CONSTRAINT approvals_decided CHECK ((state IN ('waiting', 'expired', 'outdated')) = (decided_by_id IS NULL)
        AND (decided_by IS NULL) = (decided_by_id IS NULL) AND (decided_at IS NULL) = (state = 'waiting')),
    -- Users are compared, not names: a token and the command line act for a user.
    CONSTRAINT approvals_by_another CHECK (state NOT IN ('approved', 'refused') OR decided_by_id <> requester_id),
    CONSTRAINT approvals_withdrawn_by_requester CHECK (state <> 'withdrawn' OR decided_by_id = requester_id)
);
CREATE UNIQUE INDEX approvals_one_waits ON approvals (action, subject) WHERE state = 'waiting';
CREATE INDEX approvals_requester ON approvals (requester_id, id);

-- A decision is final.
CREATE FUNCTION check_approval_is_open() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'approval % is % and cannot become %', OLD.id, OLD.state, NEW.state
        USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER approvals_decided_once BEFORE UPDATE ON approvals
    FOR EACH ROW WHEN (OLD.state <> 'waiting') EXECUTE FUNCTION check_approval_is_open();

-- A user who was disabled does nothing, also not through an earlier request. The lock makes a user who is disabled
-- at the same time stay enabled until what was approved is done, or makes this wait and then see it.
CREATE FUNCTION check_requester_is_enabled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM users WHERE id = NEW.requester_id AND disabled_at IS NULL FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the user who requested approval % is disabled', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER approvals_requester_enabled BEFORE UPDATE ON approvals
    FOR EACH ROW WHEN (NEW.state = 'approved') EXECUTE FUNCTION check_requester_is_enabled();
