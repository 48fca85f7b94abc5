"""The API of an institution's run policy: its pool and its retry policy."""

from typing import Any

from hrims.db import Connection
from hrims.institutions.store import Institution
from hrims.jobs.workers import pools
from hrims.web.core import lookups
from hrims.web.core.app_state import pool
from hrims.web.core.bodies import RunPolicyRequest
from hrims.web.core.guard import actor


def show(institution_id: str) -> dict[str, Any]:
    """Return the policy; null falls back to the settings."""
    with pool().connection() as conn:
        return _serialize(conn, lookups.find_institution(conn, institution_id))


def update(institution_id: str, body: RunPolicyRequest) -> dict[str, Any]:
    """Replace the policy; omitted fields become null."""
    with pool().connection() as conn:
        institution = lookups.find_institution(conn, institution_id)
        pools.set_run_policy(conn, actor(), institution.id, body.pool or None, body.retry_policy)
        return _serialize(conn, institution)


def _serialize(conn: Connection, institution: Institution) -> dict[str, Any]:
    policy = lookups.find_run_policy(conn, institution)
    return {
        "success": True,
        "institutionId": institution.id,
        "institutionName": institution.name,
        "pool": policy.pool,
        "attempts": policy.attempts,
        "attemptPause": policy.attempt_pause,
        "deadlineMinutes": policy.deadline_minutes,
    }
