-- A token that was not revoked has a name of its own, so that a name says which machine wrote something.

-- Of tokens that share a name the first keeps it; the others get -2, -3, …, with which machines still sign in.
LOCK TABLE tokens IN SHARE ROW EXCLUSIVE MODE;
DO $$
DECLARE
    duplicate record;
    suffix integer;
    new_name text;
BEGIN
    FOR duplicate IN
        SELECT t.id, t.name FROM tokens t
        WHERE t.revoked_at IS NULL
          AND EXISTS (SELECT FROM tokens o WHERE o.name = t.name AND o.revoked_at IS NULL AND o.id < t.id)
        ORDER BY t.id
    LOOP
        suffix := 2;
        LOOP
            -- A name has at most 64 characters.
            new_name := left(duplicate.name, 63 - length(suffix::text)) || '-' || suffix;
            EXIT WHEN NOT EXISTS (SELECT FROM tokens WHERE name = new_name AND revoked_at IS NULL);
            suffix := suffix + 1;
        END LOOP;
        UPDATE tokens SET name = new_name WHERE id = duplicate.id;
        INSERT INTO audit_log (actor, via, action, subject, details)
        VALUES ('hrims migrate', 'system', 'token.rename', 'token:' || duplicate.id,
                jsonb_build_object('before', duplicate.name, 'after', new_name));
    END LOOP;
END $$;

CREATE UNIQUE INDEX tokens_one_live_a_name ON tokens (name) WHERE revoked_at IS NULL;
DROP INDEX tokens_name;
