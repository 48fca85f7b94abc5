"""Checks of the audit trail: the rights of this process, the chain, and its heads outside the database."""

from typing import Final

from hrims.audit import heads
from hrims.audit import store as chain
from hrims.config import Settings
from hrims.db import Connection, is_pooled
from hrims.db_roles import store as roles
from hrims.monitoring.checks import Check

MAX_UNCHAINED: Final = 60.0
"""Seconds after which a record should be in the chain."""

TOO_MANY_RIGHTS: Final = "The processes use the database as {}, and could alter the audit trail."

BEHIND_POOLER: Final = (
    "Behind a pooler, no process can drop rights. Name another user in DATABASE_URL, and the owner of the "
    "tables in HRIMS_OWNER_DATABASE_URL, which only `hrims migrate` uses."
)

CAN_CREATE: Final = (
    "The processes use the database as {}, which may create functions in its schema, and could so alter the "
    "audit trail."
)

MIGRATE: Final = "Run: hrims migrate. It takes this right away, or says who can."

NO_ROLE: Final = "Run: hrims migrate. It says what is missing."

LOST_HEAD: Final = (
    "The audit chain has lost record {}, which {} has: it was written again, or a backup was restored."
)

VERIFY: Final = "Run: hrims audit verify"


def check_rights(conn: Connection) -> Check:
    """Check that the processes cannot alter the audit trail."""
    rights = roles.read_rights(conn)
    if rights.can_alter_audit:
        action = BEHIND_POOLER if is_pooled(conn) else NO_ROLE
        return Check("rights", "warning", TOO_MANY_RIGHTS.format(rights.role), action)
    if rights.can_create:
        return Check("rights", "warning", CAN_CREATE.format(rights.role), MIGRATE)
    login = "" if rights.role == rights.login else f", after a sign-in as {rights.login}"
    return Check("rights", "ok", f"the processes use the database as {rights.role}{login}")


def check_audit(conn: Connection, settings: Settings) -> Check:
    """Check that records are chained, and that the chain has the last head of this host."""
    path = heads.path_of(settings)
    last = heads.read_last(path, conn.info.dbname)
    if last and chain.find_hashes(conn, [last.sequence]).get(last.sequence) != last.hash:
        return Check("audit", "amiss", LOST_HEAD.format(last.sequence, path), VERIFY)
    head, waiting = chain.find_head(conn), chain.oldest_pending(conn)
    if waiting > MAX_UNCHAINED:
        message = f"Audit records have not been chained for {waiting:.0f} s."
        return Check("audit", "warning", message, "Start a worker, or see its log.")
    compared = f", {last.sequence} in {path}" if last else ", no head outside yet"
    return Check("audit", "ok", f"{head.sequence if head else 0} records in the chain{compared}")
