-- Finds unmapped workplaces, mapped ones, and the institutions that a name may mean. A searched name matches if each of
-- its words occurs. ``people`` counts the employees in the scope.
-- in_scope() is inlined, so that the index alone counts those of a user with all institutions.

-- name: workplace
SELECT w.id, w.name, (SELECT count(*) FROM employees e WHERE e.workplace_id = w.id AND (
           in_scope(w.institution_id, %(scope)s) OR person_in_scope(e.id, NULL, %(scope)s))) AS people,
       w.institution_id, i.name, w.matched_by, w.mapped_by, w.mapped_at,
       EXISTS (SELECT FROM institutions s WHERE s.name_key = w.name_key), w.name_key <> ''
FROM workplaces w LEFT JOIN institutions i ON i.id = w.institution_id
WHERE w.id = %(id)s AND workplace_in_scope(w.id, w.institution_id, %(scope)s)

-- name: waiting
SELECT w.id, w.name, (SELECT count(*) FROM employees e WHERE e.workplace_id = w.id AND (
           in_scope(w.institution_id, %(scope)s) OR person_in_scope(e.id, NULL, %(scope)s))) AS people,
       NULL, NULL, NULL, NULL, NULL, false, w.name_key <> ''
FROM workplaces w
WHERE w.institution_id IS NULL AND workplace_in_scope(w.id, NULL, %(scope)s)
  AND w.name_key LIKE ALL (word_patterns(%(name)s))
ORDER BY people DESC, w.name_key LIMIT %(limit)s OFFSET %(offset)s

-- name: count_waiting
SELECT count(*), coalesce(sum((SELECT count(*) FROM employees e WHERE e.workplace_id = w.id AND (
           in_scope(w.institution_id, %(scope)s) OR person_in_scope(e.id, NULL, %(scope)s)))), 0)::bigint
FROM workplaces w
WHERE w.institution_id IS NULL AND workplace_in_scope(w.id, NULL, %(scope)s)
  AND w.name_key LIKE ALL (word_patterns(%(name)s))

-- name: aliases
SELECT w.id, w.name, (SELECT count(*) FROM employees e WHERE e.workplace_id = w.id AND (
           in_scope(w.institution_id, %(scope)s) OR person_in_scope(e.id, NULL, %(scope)s))) AS people,
       w.institution_id, i.name, w.matched_by, w.mapped_by, w.mapped_at,
       EXISTS (SELECT FROM institutions s WHERE s.name_key = w.name_key), w.name_key <> ''
FROM workplaces w JOIN institutions i ON i.id = w.institution_id
WHERE w.matched_by = 'alias' AND workplace_in_scope(w.id, w.institution_id, %(scope)s)
  AND (w.name_key LIKE ALL (word_patterns(%(name)s)) OR i.name_key LIKE ALL (word_patterns(%(name)s)))
ORDER BY w.mapped_at DESC, w.id DESC LIMIT %(limit)s OFFSET %(offset)s

-- name: count_aliases
SELECT count(*)
FROM workplaces w JOIN institutions i ON i.id = w.institution_id
WHERE w.matched_by = 'alias' AND workplace_in_scope(w.id, w.institution_id, %(scope)s)
  AND (w.name_key LIKE ALL (word_patterns(%(name)s)) OR i.name_key LIKE ALL (word_patterns(%(name)s)))

-- name: find_listings
SELECT e.workplace_id, l.institution_id, i.name, l.identifier_type,
       CASE l.identifier_type WHEN 'votecode' THEN i.vote_code ELSE i.tin END,
       count(*), min(l.since_run_id), max(l.since_run_id)
FROM employees e
JOIN listings l ON l.employee_id = e.id
JOIN institutions i ON i.id = l.institution_id
WHERE e.workplace_id = ANY(%(ids)s) AND in_scope(l.institution_id, %(scope)s) AND l.ended_at IS NULL
GROUP BY e.workplace_id, l.institution_id, l.identifier_type, i.id
ORDER BY e.workplace_id, count(*) DESC, i.name_key, l.identifier_type DESC

-- name: suggestions
-- Uses the trigram index. Anything less similar than pg_trgm's threshold (0.3) is noise. Two different names may have
-- the same trigrams. Their similarity is capped below 1: identical names would have matched.
SELECT w.id, like_it.id, like_it.name, like_it.vote_code, like_it.tin, like_it.likeness
FROM workplaces w
CROSS JOIN LATERAL (
    SELECT i.id, i.name, i.vote_code, i.tin, least(similarity(i.name_key, w.name_key), 0.99) AS likeness
    FROM institutions i
    WHERE i.name_key %% w.name_key AND in_scope(i.id, %(scope)s)
    ORDER BY i.name_key <-> w.name_key, i.id LIMIT %(limit)s
) like_it
WHERE w.id = ANY(%(ids)s)
ORDER BY w.id, like_it.likeness DESC, like_it.id

-- name: find_similar_institutions
SELECT i.id, i.name, i.vote_code, i.tin, least(similarity(i.name_key, name_key(%(name)s)), 0.99), count(*) OVER ()
FROM institutions i
WHERE in_scope(i.id, %(scope)s)
  AND (i.vote_code = btrim(%(find)s) OR i.tin = btrim(%(find)s) OR i.name_key LIKE ALL (word_patterns(%(find)s)))
ORDER BY (i.vote_code = btrim(%(find)s) OR i.tin = btrim(%(find)s)) IS TRUE DESC,
         i.name_key <-> name_key(%(name)s), i.id
LIMIT %(limit)s
