-- Writes a register file. Call these in this order, while holding the register lock.

-- name: lock_changes
-- Locks and returns the institutions that the rows add or change, before and after. Does not lock an unchanged one:
-- each page that is saved takes a key share of its institution.
WITH given AS MATERIALIZED (
    SELECT g.place, g.name, name_key(g.name) AS key, g.vote_code, g.tin
    FROM unnest(%(names)s::text[], %(vote_codes)s::text[], %(tins)s::text[])
        WITH ORDINALITY AS g(name, vote_code, tin, place)
), changed AS MATERIALIZED (
    SELECT g.place, i.id, i.name, i.vote_code, i.tin, g.name AS new_name,
           coalesce(g.vote_code, i.vote_code) AS new_vote_code, coalesce(g.tin, i.tin) AS new_tin
    FROM given g JOIN institutions i ON i.name_key = g.key
    WHERE (i.name, i.vote_code, i.tin) IS DISTINCT FROM
          (g.name, coalesce(g.vote_code, i.vote_code), coalesce(g.tin, i.tin))
    ORDER BY i.id FOR NO KEY UPDATE OF i
)
SELECT place, id, name, vote_code, tin, new_name, new_vote_code, new_tin FROM changed
UNION ALL
SELECT g.place, NULL, NULL, NULL, NULL, g.name, g.vote_code, g.tin
FROM given g WHERE NOT EXISTS (SELECT FROM institutions i WHERE i.name_key = g.key)
ORDER BY place

-- name: free_numbers
-- Clears the vote codes and TINs that the rows replace, so that two institutions can swap theirs.
UPDATE institutions i
SET vote_code = CASE WHEN g.vote_code = i.vote_code THEN i.vote_code END,
    tin = CASE WHEN g.tin = i.tin THEN i.tin END
FROM unnest(%(ids)s::bigint[], %(vote_codes)s::text[], %(tins)s::text[]) AS g(id, vote_code, tin)
WHERE i.id = g.id AND (g.vote_code <> i.vote_code OR g.tin <> i.tin)

-- name: change
UPDATE institutions i
SET name = g.name, vote_code = g.vote_code, tin = g.tin, updated_at = now()
FROM unnest(%(ids)s::bigint[], %(names)s::text[], %(vote_codes)s::text[], %(tins)s::text[])
    AS g(id, name, vote_code, tin)
WHERE i.id = g.id

-- name: add
INSERT INTO institutions (name, vote_code, tin)
SELECT g.name, g.vote_code, g.tin
FROM unnest(%(ids)s::bigint[], %(names)s::text[], %(vote_codes)s::text[], %(tins)s::text[])
    WITH ORDINALITY AS g(id, name, vote_code, tin, place)
WHERE g.id IS NULL ORDER BY g.place
