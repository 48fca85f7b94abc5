-- Writes audit records, and reads and extends their chain. Verification reads the plain columns and computes every hash itself, because an
-- owner could have replaced the functions that wrote them.

-- name: insert_record
SELECT audit_insert(
    actor => %(actor)s, via => %(via)s, action => %(action)s, subject => %(subject)s, details => %(details)s,
    user_id => %(user_id)s, role => %(role)s, token_id => %(token_id)s, address => %(address)s,
    user_agent => %(user_agent)s, request_id => %(request_id)s, run_id => %(run_id)s, institution_id => %(institution_id)s, before => %(before)s,
    after => %(after)s, reason => %(reason)s)

-- name: chain_records
SELECT chain_audit_records(%s)

-- name: stream_links
-- The columns of a record as text, in the order of FIELDS in chain.py.
SELECT c.sequence, c.record_id, c.digest, c.hash, l.id::text,
       CASE WHEN l.at BETWEEN '1000-01-01 00:00Z' AND '9999-01-01 00:00Z'
            THEN pg_catalog.to_char(l.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') ELSE l.at::text END,
       l.user_id::text, l.actor, l.role, l.via, l.token_id::text, pg_catalog.abbrev(l.address), l.user_agent,
       l.request_id, l.run_id::text, l.institution_id::text, l.action, l.subject, l.before::text, l.after::text,
       l.reason, l.details::text
FROM audit_chain c LEFT JOIN audit_log l ON l.id = c.record_id
ORDER BY c.sequence

-- name: stream_pending
-- The records that are not chained, as text.
SELECT l.id::text,
       CASE WHEN l.at BETWEEN '1000-01-01 00:00Z' AND '9999-01-01 00:00Z'
            THEN pg_catalog.to_char(l.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') ELSE l.at::text END,
       l.user_id::text, l.actor, l.role, l.via, l.token_id::text, pg_catalog.abbrev(l.address), l.user_agent,
       l.request_id, l.run_id::text, l.institution_id::text, l.action, l.subject, l.before::text, l.after::text,
       l.reason, l.details::text
FROM audit_log l WHERE NOT EXISTS (SELECT FROM audit_chain c WHERE c.record_id = l.id)
ORDER BY l.id

-- name: stream_matches
SELECT c.sequence::text, l.id::text,
       CASE WHEN l.at BETWEEN '1000-01-01 00:00Z' AND '9999-01-01 00:00Z'
            THEN pg_catalog.to_char(l.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') ELSE l.at::text END,
       l.user_id::text, l.actor, l.role, l.via, l.token_id::text, pg_catalog.abbrev(l.address), l.user_agent,
       l.request_id, l.run_id::text, l.institution_id::text, l.action, l.subject, l.before::text, l.after::text,
       l.reason, l.details::text, encode(c.digest, 'hex'), encode(c.hash, 'hex')
FROM audit_log l LEFT JOIN audit_chain c ON c.record_id = l.id
-- conditions
ORDER BY l.id

-- name: list_records
SELECT c.sequence, l.id, l.at, l.actor, l.role, l.via, l.token_id, abbrev(l.address), l.user_agent, l.request_id,
       l.run_id, l.institution_id, i.name, l.action, l.subject, l.before::text, l.after::text, l.reason, l.details::text
FROM (
    SELECT * FROM audit_log l
    -- conditions
    ORDER BY l.id DESC LIMIT %(limit)s OFFSET %(offset)s
) l
LEFT JOIN audit_chain c ON c.record_id = l.id
LEFT JOIN institutions i ON i.id = l.institution_id
ORDER BY l.id DESC

-- name: find_head
SELECT sequence, hash FROM audit_chain ORDER BY sequence DESC LIMIT 1

-- name: find_hashes
SELECT sequence, hash FROM audit_chain WHERE sequence = ANY(%s::bigint[])

-- name: find_successor
SELECT sequence FROM audit_chain
WHERE pg_catalog.sha256(%(hash)s::bytea || digest) = hash AND sequence <> %(other_than)s ORDER BY sequence LIMIT 1

-- name: find_predecessor
SELECT sequence FROM audit_chain
WHERE pg_catalog.sha256(hash || %(digest)s::bytea) = %(hash)s::bytea ORDER BY sequence LIMIT 1

-- name: find_digest
SELECT sequence FROM audit_chain
WHERE digest = %(digest)s::bytea AND sequence <> %(other_than)s ORDER BY sequence LIMIT 1

-- name: find_unchained
SELECT min(l.id) FROM audit_log l
WHERE NOT EXISTS (SELECT FROM audit_chain c WHERE c.record_id = l.id)
  AND NOT EXISTS (SELECT FROM audit_pending p WHERE p.record_id = l.id)

-- name: find_lost
SELECT min(p.record_id) FROM audit_pending p WHERE NOT EXISTS (SELECT FROM audit_log l WHERE l.id = p.record_id)

-- name: count_pending
SELECT count(*) FROM audit_pending

-- name: oldest_pending
SELECT coalesce(extract(epoch FROM clock_timestamp() - min(l.at)), 0)::float8
FROM audit_pending p JOIN audit_log l ON l.id = p.record_id
