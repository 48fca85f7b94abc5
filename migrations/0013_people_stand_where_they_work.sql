-- A person's institution is that of their workplace. Until now two foreign keys said no more than that both
-- exist, and asked so person by person: an eighth of what a new person costs Postgres. This rule says more, and
-- asks once a page.

CREATE FUNCTION refuse_people_out_of_place() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM came) THEN
        RETURN NULL;
    END IF;
    -- Held, so that nobody maps or removes a workplace between this look and the end of the transaction.
    PERFORM FROM workplaces WHERE id IN (SELECT DISTINCT workplace_id FROM came) ORDER BY id FOR SHARE;
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT workplace_id, institution_id FROM came WHERE workplace_id IS NOT NULL) c
        WHERE NOT EXISTS (
            SELECT FROM workplaces w
            WHERE w.id = c.workplace_id AND w.institution_id IS NOT DISTINCT FROM c.institution_id))
    THEN
        RAISE EXCEPTION 'a person would stand under another institution than their workplace'
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION refuse_to_move_out_of_place() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM workplaces
    WHERE id = NEW.workplace_id AND institution_id IS NOT DISTINCT FROM NEW.institution_id FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a person would stand under another institution than their workplace'
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION refuse_to_remove_workplace_of_people() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM employees WHERE workplace_id = OLD.id) THEN
        RAISE EXCEPTION 'people work at workplace %', OLD.id USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN OLD;
END $$;

ALTER TABLE employees
    DROP CONSTRAINT employees_workplace_id_fkey,
    DROP CONSTRAINT employees_institution_id_fkey;

CREATE TRIGGER employees_stand_where_they_work AFTER INSERT ON employees
    REFERENCING NEW TABLE AS came
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_people_out_of_place();
CREATE TRIGGER employees_move_with_their_workplace AFTER UPDATE OF workplace_id, institution_id ON employees
    FOR EACH ROW
    WHEN (NEW.workplace_id IS NOT NULL AND (NEW.workplace_id, NEW.institution_id)
          IS DISTINCT FROM (OLD.workplace_id, OLD.institution_id))
    EXECUTE FUNCTION refuse_to_move_out_of_place();
CREATE TRIGGER workplaces_keep_their_people BEFORE DELETE ON workplaces
    FOR EACH ROW EXECUTE FUNCTION refuse_to_remove_workplace_of_people();

DO $$
BEGIN
    IF EXISTS (
        SELECT FROM employees e LEFT JOIN workplaces w ON w.id = e.workplace_id
        WHERE e.institution_id IS DISTINCT FROM w.institution_id)
    THEN
        RAISE EXCEPTION 'a person stands under another institution than their workplace'
            USING ERRCODE = 'foreign_key_violation';
    END IF;
END $$;
