"""The API of an institution's run policy: its pool and its retry policy."""

from hrims.db import Connection
from hrims.institutions.store import Institution
from hrims.jobs.workers import pools
from hrims.web.core import lookups
from hrims.web.core.app_state import pool
from hrims.web.core.bodies import RunPolicyRequest
from hrims.web.core.guard import actor
from hrims.web.core.responses import SuccessBody


class RunPolicyBody(SuccessBody):
    """The run policy of an institution. A null field falls back to the settings."""

    institution_id: int
    institution_name: str
    pool: str | None
    attempts: int | None
    attempt_pause: float | None
    deadline_minutes: int | None


def show(institution_id: str) -> RunPolicyBody:
    """Return the policy; null falls back to the settings."""
    with pool().connection() as conn:
        return _serialize(conn, lookups.find_institution(conn, institution_id))


def update(institution_id: str, body: RunPolicyRequest) -> RunPolicyBody:
    """Replace the policy; omitted fields become null."""
    with pool().connection() as conn:
        institution = lookups.find_institution(conn, institution_id)
        pools.set_run_policy(conn, actor(), institution.id, body.pool or None, body.retry_policy)
        return _serialize(conn, institution)


def _serialize(conn: Connection, institution: Institution) -> RunPolicyBody:
    policy = lookups.find_run_policy(conn, institution)
    return RunPolicyBody(
        institution_id=institution.id,
        institution_name=institution.name,
        pool=policy.pool,
        attempts=policy.attempts,
        attempt_pause=policy.attempt_pause,
        deadline_minutes=policy.deadline_minutes,
    )
