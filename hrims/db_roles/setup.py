"""Creates the roles of a database and grants their rights. Input: a migrated schema. Output: warnings.

It is safe to run twice, and changes nothing that is as it should be.
"""

from contextlib import suppress
from typing import Final

import psycopg

from hrims.db import Connection
from hrims.db_roles import store
from hrims.db_roles.names import application_role, reporting_role
from hrims.errors import DatabaseUnusable

NO_APPLICATION: Final = (
    "Web processes and workers use the rights of the owner of the tables, and could alter the audit trail: "
    "{}. Everything else works. Let an administrator of PostgreSQL run these lines, then `hrims migrate` "
    'again: CREATE ROLE "{}" NOLOGIN; GRANT "{}" TO "{}";'
)

NO_REPORTING: Final = (
    "There is no role for analysts: {}. Everything else works. Let an administrator of PostgreSQL run these "
    'lines, then `hrims migrate` again: CREATE ROLE "{}" NOLOGIN; GRANT CREATE ON DATABASE "{}" TO "{}";'
)

TOO_MANY_RIGHTS: Final = "the role {} has rights of its own that a process must not have"

MISSING: Final = (
    'The role {} lacks the right {} on this database. Let its owner run: GRANT {} ON DATABASE "{}" TO "{}";'
)


OPEN_SCHEMA: Final = (
    "Every user of this database may create functions in the schema {0}. Web processes and workers could "
    "use the rights of the owner of the tables through such a function. Nothing was changed. Let an "
    "administrator of PostgreSQL run this line in this database, then `hrims migrate` again: "
    'REVOKE CREATE ON SCHEMA "{0}" FROM PUBLIC;'
)


def close_schema(conn: Connection) -> None:
    """Take from PUBLIC the right to create in the schema.

    Raises DatabaseUnusable if only another user can do it.
    """
    if not store.can_all_create(conn):
        return
    with suppress(psycopg.errors.InsufficientPrivilege), conn.transaction():
        store.become_owner(conn)
        store.revoke_create(conn)
    if store.can_all_create(conn):
        raise DatabaseUnusable(OPEN_SCHEMA.format(store.read_schema(conn)))


def ensure(conn: Connection, login: str | None) -> list[str]:
    """Create and grant both roles. Return warnings for the operator.

    ``login`` is the user of web processes and workers, if that is not the owner of the tables.
    """
    with conn.transaction():
        store.become_owner(conn)
        if not store.has_audit(conn):
            return []
        return [*_ensure_application(conn, login), *_ensure_reporting(conn)]


def _ensure_application(conn: Connection, login: str | None) -> list[str]:
    database, owner = conn.info.dbname, store.session_user(conn)
    login = None if login == owner else login
    name = login or store.find_application_role(conn) or application_role(database)
    try:
        with conn.transaction():
            if problem := _make(conn, name, is_joined=login is None):
                return [NO_APPLICATION.format(problem, name, name, owner)]
            store.grant_application(conn, name)
    except psycopg.errors.InsufficientPrivilege as error:
        return [NO_APPLICATION.format(_message(error), name, name, owner)]
    missing = store.find_missing_rights(conn, name)
    return [MISSING.format(name, right, right, database, name) for right in missing]


def _make(conn: Connection, name: str, *, is_joined: bool) -> str:
    """Create the role if it is missing, and let the owner set it. Return why it cannot be used, or nothing.

    Raises InsufficientPrivilege.
    """
    role = store.find_role(conn, name)
    if role is None:
        store.create_role(conn, name)
    elif role.is_powerful or role.is_owner:
        return TOO_MANY_RIGHTS.format(name)
    if is_joined and not (role and role.is_ours):
        store.join_role(conn, name)
    return ""


def _ensure_reporting(conn: Connection) -> list[str]:
    database, owner = conn.info.dbname, store.session_user(conn)
    name = store.find_reporting_role(conn) or reporting_role(database)
    try:
        with conn.transaction():
            if problem := _make(conn, name, is_joined=False):
                return [NO_REPORTING.format(problem, name, database, owner)]
            store.create_views(conn, name)
    except psycopg.errors.InsufficientPrivilege as error:
        return [NO_REPORTING.format(_message(error), name, database, owner)]
    return []


def _message(error: psycopg.Error) -> str:
    return error.diag.message_primary or type(error).__name__
