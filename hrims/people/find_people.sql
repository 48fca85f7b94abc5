-- People by what a user types. Each statement goes by an index and stops when it has enough.

-- name: plan_by_index
-- What a word finds may be most people or one: a plan that reads all of them is right for the first and never for the
-- second. The threshold is that of the operator %% of pg_trgm: of four letters (Asha, Asya) one may differ.
SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true),
       set_config('pg_trgm.similarity_threshold', '0.25', true), set_config('statement_timeout', %(limit)s, true)

-- name: parts
SELECT array_remove(string_to_array(search_key(%(words)s), ' '), '')

-- name: by_number
SELECT id FROM employees WHERE zan_id = %(number)s
UNION
SELECT id FROM employees WHERE payroll_number IN (%(words)s, %(number)s)
LIMIT %(most)s

-- name: by_beginning
-- In the order of the index: of too many people the first by name.
SELECT id FROM employees WHERE lower(name) LIKE lower(%(beginning)s)
ORDER BY lower(name) USING ~<~ LIMIT %(most)s

-- name: by_parts
-- IS NOT FALSE keeps the index from looking up the rest, of which each beginning may be that of a million words.
SELECT id FROM employees
WHERE name_parts(name) @@ %(query)s::tsquery AND (name_parts(name) @@ %(rest)s::tsquery) IS NOT FALSE
LIMIT %(most)s

-- name: near_words
-- The words most like each part; the beginning of a word is no other spelling of it.
SELECT p.place, near.word
FROM unnest(%(parts)s::text[]) WITH ORDINALITY AS p(part, place)
CROSS JOIN LATERAL (
    SELECT DISTINCT w.word, similarity(w.word, p.part) AS likeness
    FROM name_words w
    WHERE w.word %% p.part AND NOT starts_with(w.word, p.part)
      -- A long word shares its first letters with many others (Khadija, Khatib); a short one has few letters to share.
      AND (length(p.part) BETWEEN 4 AND 5 OR similarity(w.word, p.part) >= 0.3)
    ORDER BY likeness DESC, w.word LIMIT %(most)s
) near
WHERE length(p.part) >= %(shortest)s
ORDER BY p.place, near.likeness DESC

-- name: by_near_words
-- Of at most so many people who have such words those whose names have the most similar parts.
SELECT id
FROM (SELECT id, name FROM employees
      WHERE name_parts(name) @@ %(query)s::tsquery AND (name_parts(name) @@ %(rest)s::tsquery) IS NOT FALSE
        AND NOT id = ANY(%(ids)s::bigint[])
      LIMIT %(compared)s) compared
ORDER BY strict_word_similarity(%(key)s, search_key(name)) DESC, id LIMIT %(most)s

-- name: found
SELECT e.id, e.zan_id, e.payroll_number, e.name, e.cadre, e.current_workplace, e.status, e.left_at,
       i.name AS institution, e.id = ANY(%(similar)s::bigint[]) AS is_similar
FROM employees e LEFT JOIN institutions i ON i.id = e.institution_id
WHERE e.id = ANY(%(ids)s::bigint[]) ORDER BY is_similar, search_key(e.name) <> search_key(%(words)s), lower(e.name), e.id LIMIT %(most)s
