"""A role that may create functions in the schema could plant one that runs with the rights of the owner."""

import psycopg
import pytest

from hrims import db
from hrims.errors import DatabaseUnusable
from hrims.monitoring.audit_checks import check_rights
from tests.db_roles.sites import Site
from tests.support.databases import execute_as_owner

OPEN = "GRANT CREATE ON SCHEMA public TO PUBLIC"

DEFINERS = """
SELECT p.oid::regprocedure::text, path.value
FROM pg_proc p LEFT JOIN LATERAL (
    SELECT split_part(setting, '=', 2) AS value FROM unnest(p.proconfig) setting
    WHERE setting LIKE 'search_path=%'
) path ON true
WHERE p.prosecdef ORDER BY 1
"""


def test_functions_with_rights_of_the_owner_see_only_its_schemas(conn: psycopg.Connection) -> None:
    found = conn.execute(DEFINERS).fetchall()
    assert len(found) == 5, found
    for function, path in found:
        assert path, function
        *schemas, last = [name.strip().strip('"') for name in path.split(",")]
        # PostgreSQL finds no functions or operators in pg_temp. Last, it catches no table either.
        assert last == "pg_temp", function
        for schema in schemas:
            row = conn.execute("SELECT has_schema_privilege(%s, 'CREATE')", (schema,)).fetchone()
            assert row == (False,), (function, schema)


def test_migrate_closes_an_open_schema(site: Site) -> None:
    site.execute(OPEN)
    site.migrate(site.login)
    with db.connect(site.dsn(site.login)) as conn:
        assert check_rights(conn).state == "ok"
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("CREATE FUNCTION mine() RETURNS integer LANGUAGE sql RETURN 1")


def test_migrate_takes_the_right_from_the_application_role_too(site: Site) -> None:
    site.migrate(site.login)
    site.execute(f"GRANT CREATE ON SCHEMA public TO {site.login}")
    site.migrate(site.login)
    with db.connect(site.dsn(site.login)) as conn:
        assert check_rights(conn).state == "ok"


def test_an_open_schema_that_belongs_to_another_is_refused_with_the_line_that_helps(site: Site) -> None:
    """The schema of a database that came from PostgreSQL 14 or older belongs to the administrator."""
    site.execute(f"ALTER SCHEMA public OWNER TO CURRENT_USER; {OPEN}")
    with pytest.raises(DatabaseUnusable, match="may create functions in the schema public") as refused:
        site.migrate(site.login)
    with psycopg.connect(site.dsn(site.owner)) as conn:
        assert conn.execute("SELECT to_regclass('schema_migrations')").fetchone() == (None,)
    site.execute(str(refused.value).split("again: ")[1])
    site.migrate(site.login)


def test_an_open_schema_is_a_warning_of_doctor(conn: psycopg.Connection) -> None:
    execute_as_owner(conn, OPEN)
    check = check_rights(conn)
    assert check.state == "warning"
    assert "may create functions in its schema" in check.message
    assert check.action.startswith("Run: hrims migrate.")
