-- The searches for people of which a browser may still ask for the results: their words are personal data, so an address
-- holds a random token in place of them, and a row stays for half an hour only.

CREATE TABLE people_searches (
    -- A hash, so that a copy of the table opens nothing.
    token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    words text NOT NULL CHECK (length(words) BETWEEN 1 AND 100),
    expires_at timestamptz NOT NULL
);
-- The newest of one user, of whose searches only so many are kept.
CREATE INDEX people_searches_user ON people_searches (user_id, expires_at);
CREATE INDEX people_searches_expires ON people_searches (expires_at);
