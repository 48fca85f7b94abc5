"""SQL of the roles of a database. Each function runs inside its caller's transaction, as the owner."""

import hashlib
from typing import NamedTuple

from psycopg import sql

from hrims.db import Connection, set_privilege
from hrims.db_roles import reporting

READ_TABLES = ("audit_log", "audit_chain", "audit_pending", "schema_migrations", "reporting_scopes")
"""Tables that the application role reads, and writes only through functions or not at all."""


class Role(NamedTuple):
    """A role that exists, and its relation to the user of this session, who owns the tables."""

    is_powerful: bool
    """Whether the role has rights on the whole server."""
    is_owner: bool
    """Whether the role may become the owner."""
    is_ours: bool
    """Whether the owner may become the role."""


def find_role(conn: Connection, name: str) -> Role | None:
    """Return a role; None if there is none of this name."""
    row = conn.execute(
        """
        SELECT rolsuper OR rolbypassrls OR rolcreaterole, pg_has_role(oid, session_user, 'MEMBER'),
               pg_has_role(session_user, oid, %s)
        FROM pg_roles WHERE rolname = %s
        """,
        (set_privilege(conn), name),
    ).fetchone()
    return Role(*row) if row else None


def session_user(conn: Connection) -> str:
    """Return the user who signed in to this session."""
    row = conn.execute("SELECT session_user::text").fetchone()
    assert row
    return str(row[0])


def become_owner(conn: Connection) -> None:
    """Use the rights of the user of this session until the transaction ends, whatever role it has set."""
    conn.execute("SET LOCAL ROLE NONE")


def create_role(conn: Connection, name: str) -> None:
    """Create a role that cannot sign in. Raises InsufficientPrivilege."""
    conn.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(name)))


def join_role(conn: Connection, name: str) -> None:
    """Let the user of this session set the role. Raises InsufficientPrivilege."""
    conn.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(name)))


def read_schema(conn: Connection) -> str:
    """Return the schema of the tables."""
    row = conn.execute("SELECT current_schema()::text").fetchone()
    assert row
    return str(row[0])


def can_all_create(conn: Connection) -> bool:
    """Return whether every role of the server may create tables and functions in the schema."""
    row = conn.execute("SELECT has_schema_privilege('public', current_schema(), 'CREATE')").fetchone()
    return row == (True,)


def revoke_create(conn: Connection) -> None:
    """Revoke the right of PUBLIC to create in the schema.

    Raises InsufficientPrivilege. PostgreSQL only warns if this user has another right on the schema.
    """
    schema = sql.Identifier(read_schema(conn))
    conn.execute(sql.SQL("REVOKE CREATE ON SCHEMA {} FROM PUBLIC").format(schema))


class Rights(NamedTuple):
    """The role whose rights a session uses, the user who signed in, and rights that no process needs."""

    role: str
    login: str
    can_alter_audit: bool
    can_create: bool


def read_rights(conn: Connection) -> Rights:
    """Return the rights of this session."""
    row = conn.execute(
        """
        SELECT current_user::text, session_user::text,
               has_table_privilege('audit_log', 'INSERT, UPDATE, DELETE, TRUNCATE'),
               has_schema_privilege(current_schema(), 'CREATE')
        """
    ).fetchone()
    assert row
    return Rights(*row)


def has_audit(conn: Connection) -> bool:
    """Return whether the schema has the audit trail, which an older version lacks."""
    return conn.execute("SELECT to_regproc('audit_insert') IS NOT NULL").fetchone() == (True,)


def find_application_role(conn: Connection) -> str | None:
    """Return the role that may write the audit trail and is not its owner; None if there is none."""
    row = conn.execute(
        """
        SELECT r.rolname FROM pg_proc p CROSS JOIN LATERAL aclexplode(p.proacl) a
        JOIN pg_roles r ON r.oid = a.grantee
        WHERE p.oid = to_regproc('audit_insert') AND a.grantee <> p.proowner ORDER BY 1 LIMIT 1
        """
    ).fetchone()
    return str(row[0]) if row else None


def grant_application(conn: Connection, role: str) -> None:
    """Grant the application role what it needs, and nothing else. Views are only read."""
    params = {"read": list(READ_TABLES), "role": role}
    name = sql.Identifier(role)
    for statement, relations in GRANTS.items():
        rows = conn.execute(relations.encode(), params).fetchall()
        if names := ", ".join(str(quoted) for (quoted,) in rows):
            conn.execute(f"{statement.format(names)} {name.as_string(conn)}".encode())
    schema = sql.Identifier(read_schema(conn))
    conn.execute(sql.SQL("REVOKE CREATE ON SCHEMA {} FROM {}").format(schema, name))
    conn.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema, name))
    # A backup that was restored without rights lacks this too.
    conn.execute(
        "REVOKE EXECUTE ON FUNCTION audit_insert, chain_audit_records, audit_run, audit_run_record"
        " FROM PUBLIC"
    )
    conn.execute(sql.SQL("GRANT EXECUTE ON FUNCTION audit_insert, chain_audit_records TO {}").format(name))


def find_missing_rights(conn: Connection, role: str) -> list[str]:
    """Return the rights in this database that PUBLIC usually has, and that the role lacks."""
    rows = conn.execute(
        """
        SELECT p FROM unnest(ARRAY['CONNECT', 'TEMPORARY']) p
        WHERE NOT has_database_privilege(%s, current_database(), p)
        """,
        (role,),
    )
    return [str(right) for (right,) in rows]


def find_reporting_role(conn: Connection) -> str | None:
    """Return the role that may read the views of the reporting role; None if there is none."""
    row = conn.execute(
        """
        SELECT r.rolname FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a
        JOIN pg_roles r ON r.oid = a.grantee
        WHERE c.oid = to_regclass('reporting.runs_v') AND a.grantee <> c.relowner ORDER BY 1 LIMIT 1
        """
    ).fetchone()
    return str(row[0]) if row else None


def create_views(conn: Connection, role: str) -> None:
    """Create the views of the reporting role if they are missing or differ, and grant them.

    Raises InsufficientPrivilege.
    """
    row = conn.execute(
        "SELECT quote_ident(current_schema()), to_regnamespace('reporting') IS NULL"
    ).fetchone()
    assert row
    columns = {view: _columns(conn, view) for view in reporting.ROWS}
    wanted = reporting.statements(row[0], columns)
    digest = hashlib.sha256("\0".join(wanted).encode()).hexdigest()
    if row[1]:
        conn.execute("CREATE SCHEMA reporting")
    if _read_digest(conn) != digest:
        drop_views(conn)
        for statement in wanted:
            conn.execute(statement.encode())
        conn.execute(f"COMMENT ON VIEW reporting.scope IS '{digest}'".encode())
    name = sql.Identifier(role)
    views = sql.SQL(", ").join(sql.Identifier("reporting", view) for view in reporting.ROWS)
    conn.execute(sql.SQL("GRANT USAGE ON SCHEMA reporting TO {}").format(name))
    conn.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(views, name))


def _columns(conn: Connection, view: str) -> list[str]:
    rows = conn.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 ORDER BY attnum",
        (view,),
    )
    return [str(name) for (name,) in rows]


def _read_digest(conn: Connection) -> str | None:
    row = conn.execute("SELECT obj_description(to_regclass('reporting.scope'))").fetchone()
    return row[0] if row else None


def drop_views(conn: Connection) -> None:
    """Drop the views of the reporting role: a migration may change what they show."""
    rows = conn.execute(
        """
        SELECT c.oid::regclass::text FROM pg_class c
        WHERE c.relnamespace = to_regnamespace('reporting') AND c.relkind = 'v' AND c.relname = ANY(%s)
        """,
        (["scope", *reporting.ROWS],),
    ).fetchall()
    if names := ", ".join(str(name) for (name,) in rows):
        conn.execute(f"DROP VIEW {names}".encode())


RELATIONS = """
SELECT c.oid::regclass::text FROM pg_class c
WHERE c.relnamespace = to_regnamespace(quote_ident(current_schema()))
  AND c.relowner = (SELECT oid FROM pg_roles WHERE rolname = current_user)
"""

IS_WRITTEN = "c.relkind IN ('r', 'p') AND c.relname <> ALL(%(read)s::text[])"

LACKS_ONE = """
NOT (SELECT bool_and(has_table_privilege(%(role)s, c.oid, p))
     FROM unnest('{SELECT, INSERT, UPDATE, DELETE}'::text[]) p)
"""

IS_READ = "(c.relkind = 'v' OR c.relname = ANY(%(read)s::text[]))"

GRANTS = {
    "REVOKE ALL ON {} FROM": f"""{RELATIONS}
      AND c.relkind IN ('r', 'p', 'v') AND (
        has_table_privilege(%(role)s, c.oid, 'TRUNCATE, TRIGGER')
        OR {IS_READ} AND has_table_privilege(%(role)s, c.oid, 'INSERT, UPDATE, DELETE'))
    """,
    "GRANT SELECT, INSERT, UPDATE, DELETE ON {} TO": f"{RELATIONS} AND {IS_WRITTEN} AND {LACKS_ONE}",
    "GRANT SELECT ON {} TO": f"""{RELATIONS}
      AND {IS_READ} AND NOT has_table_privilege(%(role)s, c.oid, 'SELECT')
    """,
    "GRANT USAGE ON SEQUENCE {} TO": f"""{RELATIONS}
      AND CASE WHEN c.relkind = 'S' THEN NOT has_sequence_privilege(%(role)s, c.oid, 'USAGE') END
    """,
}
"""For each statement the relations of the owner that need it, by their present rights."""
