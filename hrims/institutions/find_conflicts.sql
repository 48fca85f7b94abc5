-- Finds the rows of a file that the register cannot accept, by line. Call it while holding the register lock.

-- name: find_conflicts
WITH given AS MATERIALIZED (
    SELECT g.line, g.name, name_key(g.name) AS key, g.vote_code, g.tin
    FROM unnest(%(lines)s::int[], %(names)s::text[], %(vote_codes)s::text[], %(tins)s::text[])
        AS g(line, name, vote_code, tin)
), next AS MATERIALIZED (
    -- The register after the import. A row without a line belongs to an institution that the file does not name.
    SELECT g.line, coalesce(i.name, g.name) AS name, coalesce(i.name_key, g.key) AS key,
           i.vote_code AS old_vote_code, g.vote_code AS new_vote_code, g.tin AS new_tin,
           coalesce(g.vote_code, i.vote_code) AS vote_code, coalesce(g.tin, i.tin) AS tin,
           g.vote_code IS NOT NULL AND g.vote_code IS DISTINCT FROM i.vote_code AS is_changed
    FROM institutions i FULL JOIN given g ON g.key = i.name_key
), conflicts AS (
    SELECT line, 'nameless' AS code, NULL::int AS other_line, NULL AS value, NULL AS other, NULL AS other_value
    FROM given WHERE key = ''
    UNION ALL
    SELECT g.line, 'same_name', min(f.line), NULL, NULL, NULL
    FROM given g JOIN given f ON f.key = g.key AND f.line < g.line
    WHERE g.key <> '' GROUP BY g.line
    UNION ALL
    SELECT g.line, 'same_vote_code', min(f.line), NULL, NULL, NULL
    FROM given g JOIN given f ON f.vote_code = g.vote_code AND f.line < g.line GROUP BY g.line
    UNION ALL
    SELECT g.line, 'same_tin', min(f.line), NULL, NULL, NULL
    FROM given g JOIN given f ON f.tin = g.tin AND f.line < g.line GROUP BY g.line
    UNION ALL
    SELECT n.line, 'taken_vote_code', NULL, n.vote_code, o.name, NULL
    FROM next n JOIN next o ON o.vote_code = n.new_vote_code AND o.new_vote_code IS NULL AND o.key <> n.key
    UNION ALL
    SELECT n.line, 'taken_tin', NULL, n.tin, o.name, NULL
    FROM next n JOIN next o ON o.tin = n.new_tin AND o.new_tin IS NULL AND o.key <> n.key
    UNION ALL
    -- An institution's own code may gain zeros, because a spreadsheet never adds them. An unchanged code is not
    -- checked.
    SELECT n.line, 'zeros', NULL, n.vote_code, i.name, i.vote_code
    FROM next n JOIN institutions i ON ltrim(i.vote_code, '0') = ltrim(n.new_vote_code, '0') AND i.vote_code <> n.new_vote_code
    WHERE n.is_changed AND NOT (i.name_key = n.key AND length(n.new_vote_code) > length(i.vote_code))
    UNION ALL
    -- Of two codes in the file, the one with fewer zeros is wrong, unless the register has it already.
    SELECT n.line, 'zeros_of_line', o.line, n.vote_code, NULL, o.vote_code
    FROM next n JOIN next o ON ltrim(o.new_vote_code, '0') = ltrim(n.new_vote_code, '0') AND o.new_vote_code <> n.new_vote_code
    WHERE n.is_changed AND (length(n.new_vote_code) < length(o.new_vote_code) OR NOT o.is_changed)
)
SELECT line, code, other_line, value, other, other_value FROM conflicts ORDER BY line, code
