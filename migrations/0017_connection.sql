-- The HRIMS connection as administrators set it on its page. Settings of the environment win over it.

-- One row. NULL means the setting of the environment or the default.
CREATE TABLE remote_connection (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    -- Counts the changes. A change is refused if another one was made since it was prepared.
    version bigint NOT NULL DEFAULT 0 CHECK (version >= 0),
    address text CHECK (address ~ '^https?://[^[:space:]]+$' AND length(address) <= 2000),
    connect_timeout double precision CHECK (connect_timeout BETWEEN 0.1 AND 600),
    read_timeout double precision CHECK (read_timeout BETWEEN 0.1 AND 3600),
    request_timeout double precision CHECK (request_timeout BETWEEN 0.1 AND 3600),
    max_in_flight integer CHECK (max_in_flight BETWEEN 1 AND 100),
    changed_by text CHECK (changed_by <> ''),
    changed_at timestamptz,
    CONSTRAINT remote_connection_change_has_actor CHECK
        ((version = 0) = (changed_by IS NULL) AND (version = 0) = (changed_at IS NULL))
);
INSERT INTO remote_connection DEFAULT VALUES;

-- The credentials, encrypted by hrims.vault for their name and the origin of the address.
CREATE TABLE remote_credentials (
    name text PRIMARY KEY CHECK (name IN ('api_key', 'token')),
    value bytea NOT NULL CHECK (length(value) BETWEEN 100 AND 10000),
    set_by text NOT NULL CHECK (set_by <> ''),
    set_at timestamptz NOT NULL DEFAULT now()
);

-- Whether a request can no longer be carried out, because what it is about has changed since.
CREATE FUNCTION is_outdated(a approvals) RETURNS boolean LANGUAGE sql STABLE
RETURN CASE a.action
    WHEN 'connection.change' THEN (a.details #>> '{change,of_version}')::bigint IS DISTINCT FROM
        (SELECT c.version FROM remote_connection c)
    WHEN 'batch.cancel' THEN NOT EXISTS (
        SELECT FROM batch_members m JOIN runs r ON r.id = m.run_id
        WHERE m.batch_id = split_part(a.subject, ':', 2)::bigint AND m.institution_id = ANY (a.institutions)
          AND NOT m.joined AND r.state IN ('waiting', 'delayed', 'active'))
    WHEN 'user.make_administrator' THEN EXISTS (
        SELECT FROM users u WHERE u.id = split_part(a.subject, ':', 2)::bigint AND u.role = 'administrator')
    ELSE NOT EXISTS (
        SELECT FROM departures d WHERE d.id = split_part(a.subject, ':', 2)::bigint AND d.state = 'approved')
END;
