"""The rights of the application role, and how sessions come to use it."""

import psycopg
import pytest

from hrims import connection_pools, db
from hrims.db_roles import setup, store
from hrims.db_roles.names import application_role, reporting_role
from hrims.monitoring.audit_checks import check_rights
from tests.db_roles.sites import Site

FORBIDDEN = [
    "UPDATE audit_log SET actor = 'x'",
    "DELETE FROM audit_log",
    "TRUNCATE audit_log",
    "INSERT INTO audit_log (at, actor, via, action, details) VALUES (now(), 'x', 'api', 'a.b', '{}')",
    "INSERT INTO audit_chain VALUES (1, 1, sha256('a'), sha256('b'))",
    "DELETE FROM audit_chain",
    "INSERT INTO audit_pending VALUES (1)",
    "DELETE FROM audit_pending",
    "ALTER TABLE audit_log DISABLE TRIGGER ALL",
    "SET session_replication_role = replica",
    "CREATE OR REPLACE FUNCTION audit_insert() RETURNS void LANGUAGE sql AS ''",
    "DROP FUNCTION chain_audit_records",
    "DELETE FROM schema_migrations",
    "INSERT INTO reporting_scopes VALUES ('hrims_report', NULL)",
    "CREATE TABLE mine ()",
    "DROP TABLE runs",
    "TRUNCATE runs",
    "ALTER TABLE runs ADD note text",
    "CREATE SCHEMA mine",
    "CREATE ROLE mine",
    "COPY runs TO '/tmp/runs'",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_a_process_cannot(conn: psycopg.Connection, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute(statement.encode())


def test_a_process_writes_records_through_the_function_alone(conn: psycopg.Connection) -> None:
    conn.execute("SELECT audit_insert('asha', 'api', 'run.ask', 'run:1', '{}')")
    assert conn.execute("SELECT chain_audit_records(10)").fetchone() == (1,)


def test_a_temporary_table_does_not_catch_records(conn: psycopg.Connection) -> None:
    conn.execute("CREATE TEMPORARY TABLE audit_log (LIKE public.audit_log)")
    conn.execute("CREATE TEMPORARY TABLE audit_pending (LIKE public.audit_pending)")
    conn.execute("SELECT audit_insert('asha', 'api', 'run.ask', 'run:1', '{}')")
    assert conn.execute("SELECT count(*) FROM public.audit_log").fetchone() == (1,)
    assert conn.execute("SELECT count(*) FROM pg_temp.audit_log").fetchone() == (0,)


def test_every_other_table_can_be_written(conn: psycopg.Connection) -> None:
    rows = conn.execute(
        """
        SELECT relname FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT (
            has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT')
            AND has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE'))
        ORDER BY 1
        """
    ).fetchall()
    assert [name for (name,) in rows] == sorted(store.READ_TABLES)


async def test_sessions_of_the_owner_drop_its_rights(owner_dsn: str, template_database: str) -> None:
    role = (application_role(template_database),)
    with db.connect(owner_dsn) as conn:
        assert conn.execute("SELECT current_user::text").fetchone() == role
        assert check_rights(conn).state == "ok"
    pool = connection_pools.open_pool(owner_dsn, max_size=1)
    with pool.connection() as conn:
        assert conn.execute("SELECT current_user::text").fetchone() == role
    pool.close()
    workers = connection_pools.open_worker_pool(conninfo=owner_dsn, min_size=1, open=False)
    async with workers, workers.connection() as aconn:
        assert await (await aconn.execute("SELECT current_user::text")).fetchone() == role


def test_the_owner_keeps_its_rights_where_it_needs_them(owner_dsn: str) -> None:
    with db.connect(owner_dsn, as_owner=True) as conn:
        assert conn.execute("SELECT current_user = session_user").fetchone() == (True,)
        check = check_rights(conn)
    assert (check.state, "could alter the audit trail" in check.message) == ("warning", True)


def test_an_owner_who_may_create_no_role_is_warned_and_all_else_works(site: Site) -> None:
    application, reporting = site.migrate()
    assert "could alter the audit trail" in application
    assert f'CREATE ROLE "{application_role(site.name)}" NOLOGIN' in application
    assert f'CREATE ROLE "{reporting_role(site.name)}" NOLOGIN' in reporting
    with db.connect(site.dsn(site.owner)) as conn:
        assert conn.execute("SELECT current_user::text").fetchone() == (site.owner,)
        conn.execute("SELECT audit_insert('asha', 'api', 'run.ask', 'run:1', '{}')")
        assert check_rights(conn).state == "warning"


def test_the_lines_of_the_warning_are_enough(site: Site) -> None:
    for warning in site.migrate():
        lines = warning.split("again: ", 1)[1]
        site.execute(lines.replace("GRANT CREATE", "GRANT CREATE"))
    assert site.migrate() == []
    with db.connect(site.dsn(site.owner)) as conn:
        assert conn.execute("SELECT current_user::text").fetchone() == (application_role(site.name),)
        assert check_rights(conn).state == "ok"


@pytest.mark.parametrize("site", [("CREATEROLE",)], indirect=True)
def test_an_owner_who_may_create_roles_does(site: Site) -> None:
    assert site.migrate() == []
    assert site.migrate() == []
    with db.connect(site.dsn(site.owner)) as conn:
        assert conn.execute("SELECT current_user::text").fetchone() == (application_role(site.name),)


def test_a_login_of_its_own_is_the_application_role(site: Site) -> None:
    assert [line for line in site.migrate(site.login) if "Web processes" in line] == []
    with db.connect(site.dsn(site.login)) as conn:
        assert conn.execute("SELECT current_user::text").fetchone() == (site.login,)
        conn.execute("SELECT audit_insert('asha', 'api', 'run.ask', 'run:1', '{}')")
        assert check_rights(conn).state == "ok"
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("DELETE FROM audit_log")


def test_a_login_with_rights_of_its_own_is_refused(site: Site) -> None:
    site.execute(f"ALTER ROLE {site.login} CREATEROLE")
    assert "has rights of its own" in site.migrate(site.login)[0]


def test_rights_that_were_granted_by_hand_are_taken_back(site: Site) -> None:
    site.migrate(site.login)
    site.execute(f"GRANT ALL ON audit_log, reporting_scopes, runs TO {site.login}")
    site.migrate(site.login)
    with db.connect(site.dsn(site.login)) as conn:
        for statement in ("DELETE FROM audit_log", "DELETE FROM reporting_scopes", "TRUNCATE runs"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(statement.encode())
        conn.execute("DELETE FROM runs")


def test_a_backup_that_was_restored_without_rights_gets_them_back(site: Site) -> None:
    site.migrate(site.login)
    site.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {site.login}")
    site.execute(f"REVOKE ALL ON FUNCTION audit_insert FROM {site.login}")
    site.execute("GRANT EXECUTE ON FUNCTION audit_insert, chain_audit_records TO PUBLIC")
    site.migrate(site.login)
    with db.connect(site.dsn(site.login)) as conn:
        assert check_rights(conn).state == "ok"
        conn.execute("SELECT audit_insert('asha', 'api', 'run.ask', 'run:1', '{}')")
        row = conn.execute(
            "SELECT has_function_privilege('public', to_regproc('audit_insert')::oid, 'EXECUTE')"
        ).fetchone()
    assert row == (False,)


def test_databases_of_one_server_have_roles_of_their_own(site: Site, server_dsn: str) -> None:
    other = Site(server_dsn, "CREATEROLE")
    try:
        other.migrate()
        with db.connect(other.dsn(other.owner)) as conn:
            assert store.find_application_role(conn) == application_role(other.name)
            assert store.find_role(conn, application_role(site.name)) is None
    finally:
        other.drop()


def test_a_database_without_the_trail_is_left_alone(server_dsn: str, site: Site) -> None:
    with db.connect(site.dsn(site.owner), as_owner=True) as conn:
        assert setup.ensure(conn, None) == []
        assert store.find_role(conn, application_role(site.name)) is None
