-- Search for people by any parts of their name, in any order, and by a near spelling (decision 0021).

-- A name as search compares it: lower case; without apostrophes, so that ng'ambo is one word in each spelling; all
-- other signs are spaces. Not STRICT, or it could not be inlined: an index is written with it for each new person.
CREATE FUNCTION search_key(name text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN name ~ '[^A-Za-z0-9 ]|  |^ | $'
    THEN btrim(regexp_replace(lower(translate(clean_text(name),
        U&'''`\00B4\2018\2019\201B\2032\02B9\02BB\02BC\02BD\02BE\02BF\02C8\A78C\FF07', '')), '[^[:alnum:]]+', ' ', 'g'))
    ELSE lower(name) END;

-- The parts of a name, as an index keeps them. Not by the text search parser, which has its own idea of words.
CREATE FUNCTION name_parts(name text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN array_to_tsvector(string_to_array(search_key(name), ' '));

CREATE INDEX employees_name_parts ON employees USING gin (name_parts(name));

-- Each word that occurs in a name: a near spelling is looked for among words, which are few, and not among people.
-- A word may stand here twice, when two pages met it at the same moment: a unique key would let one page wait for the
-- other, in any order. Words that no person has any more find no person.
CREATE TABLE name_words (word text NOT NULL);
INSERT INTO name_words
SELECT DISTINCT word FROM employees, string_to_table(search_key(name), ' ') AS word WHERE word <> '';
CREATE INDEX name_words_word ON name_words (word);
CREATE INDEX name_words_alike ON name_words USING gin (word gin_trgm_ops);

CREATE FUNCTION keep_words_of_new_people() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
BEGIN
    IF EXISTS (SELECT FROM came) THEN
        -- The names of a page as one text: their words are taken apart and made unique in one go.
        INSERT INTO name_words
        SELECT w.word FROM (SELECT DISTINCT string_to_table(search_key(string_agg(name, ' ')), ' ') AS word FROM came) w
        WHERE w.word <> '' AND NOT EXISTS (SELECT FROM name_words n WHERE n.word = w.word);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER employees_keep_words AFTER INSERT ON employees
    REFERENCING NEW TABLE AS came
    FOR EACH STATEMENT EXECUTE FUNCTION keep_words_of_new_people();

CREATE FUNCTION keep_words_of_new_name() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO name_words
    SELECT DISTINCT w.word FROM string_to_table(search_key(NEW.name), ' ') AS w(word)
    WHERE w.word <> '' AND NOT EXISTS (SELECT FROM name_words n WHERE n.word = w.word);
    RETURN NULL;
END $$;
CREATE TRIGGER employees_keep_new_words AFTER UPDATE OF name ON employees
    FOR EACH ROW WHEN (NEW.name IS DISTINCT FROM OLD.name)
    EXECUTE FUNCTION keep_words_of_new_name();

-- employees_name_parts finds by the last word too. The function last_word stays for processes of the version before.
-- Last, because dropping an index locks the table until this transaction ends.
DROP INDEX employees_last_name;
