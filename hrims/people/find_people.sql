-- Finds employees by a search text. Each statement uses an index and stops when it has enough rows.

-- name: plan_by_index
-- A word may match most employees or one. A plan that reads all of them is right for the first case and wrong for the
-- second. The threshold is that of the operator %% of pg_trgm: one of four letters may differ (Asha, Asya).
SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true),
       set_config('pg_trgm.similarity_threshold', '0.25', true), set_config('statement_timeout', %(timeout)s, true)

-- name: parts
SELECT array_remove(string_to_array(search_key(%(text)s), ' '), '')

-- name: by_number
SELECT id FROM employees WHERE zan_id = %(number)s AND person_in_scope(id, institution_id, %(scope)s)
UNION
SELECT id FROM employees
WHERE payroll_number IN (%(text)s, %(number)s) AND person_in_scope(id, institution_id, %(scope)s)
LIMIT %(limit)s

-- name: by_beginning
-- In the order of the index: if too many employees match, returns the first by name.
SELECT id FROM employees
WHERE lower(name) LIKE lower(%(beginning)s) AND person_in_scope(id, institution_id, %(scope)s)
ORDER BY lower(name) USING ~<~ LIMIT %(limit)s

-- name: by_parts
-- IS NOT FALSE keeps the index from evaluating ``rest``: each of its beginnings may match a million words.
SELECT id FROM employees
WHERE name_parts(name) @@ %(query)s::tsquery AND (name_parts(name) @@ %(rest)s::tsquery) IS NOT FALSE
  AND person_in_scope(id, institution_id, %(scope)s)
LIMIT %(limit)s

-- name: by_whole_name
SELECT id FROM employees
WHERE name_parts(name) @@ %(query)s::tsquery AND search_key(name) = search_key(%(text)s)
  AND person_in_scope(id, institution_id, %(scope)s)
LIMIT %(limit)s

-- name: near_words
-- The words most similar to each part. A word that begins with the part is not another spelling of it.
SELECT p.place, near.word
FROM unnest(%(parts)s::text[]) WITH ORDINALITY AS p(part, place)
CROSS JOIN LATERAL (
    SELECT DISTINCT w.word, similarity(w.word, p.part) AS likeness
    FROM name_words w
    WHERE w.word %% p.part AND NOT starts_with(w.word, p.part)
      -- A long word shares its first letters with many others (Khadija, Khatib). A short one has few letters to share.
      AND (length(p.part) BETWEEN 4 AND 5 OR similarity(w.word, p.part) >= 0.3)
    ORDER BY likeness DESC, w.word LIMIT %(limit)s
) near
WHERE length(p.part) >= %(shortest)s
ORDER BY p.place, near.likeness DESC

-- name: by_near_words
-- Compares at most ``compared`` employees who have such words. Returns those whose names have the most similar parts.
SELECT id
FROM (SELECT id, name FROM employees
      WHERE name_parts(name) @@ %(query)s::tsquery AND (name_parts(name) @@ %(rest)s::tsquery) IS NOT FALSE
        AND NOT id = ANY(%(ids)s::bigint[]) AND person_in_scope(id, institution_id, %(scope)s)
      LIMIT %(compared)s) compared
ORDER BY strict_word_similarity(%(key)s, search_key(name)) DESC, id LIMIT %(limit)s

-- name: found
SELECT e.id, e.zan_id, e.payroll_number, e.name, e.cadre, e.current_workplace, e.status, e.left_at,
       i.name AS institution, e.id = ANY(%(similar)s::bigint[]) AS is_similar
FROM employees e LEFT JOIN institutions i ON i.id = e.institution_id
WHERE e.id = ANY(%(ids)s::bigint[]) ORDER BY is_similar, search_key(e.name) <> search_key(%(text)s), lower(e.name), e.id LIMIT %(limit)s
