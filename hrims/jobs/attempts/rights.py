"""Checks again at the start of an attempt what was checked when the run was requested.

Input: an attempt. Output: nothing, or the reason why the run may no longer be executed.
"""

from typing import Final

from hrims.access.permissions import Permission, permissions_of
from hrims.db import AsyncPool
from hrims.errors import HrimsSyncError, RemoteUnknown
from hrims.jobs.attempts import store
from hrims.jobs.attempts.store import Attempt, RunRights
from hrims.jobs.enqueue import IDENTIFIERS

PERMISSIONS: Final = {"rejected": Permission.DECIDE_REJECTS}
"""The permission that a kind of run needs, if it is not SYNC."""

REASONS: Final = {
    "requester_disabled": "{0} is disabled, and had requested this run.",
    "token_revoked": "The token that requested this run was revoked.",
    "token_expired": "The token that requested this run has expired.",
    "requester_not_allowed": "{0} may no longer start syncs, and had requested this run.",
    "requester_out_of_scope": "{0} had requested this run. Its institution is not of the institutions of "
    "this user, or of the token that was used.",
    "institution_changed": "The register has changed since this run was requested: {0}.",
}
"""Why a run may no longer be executed, by the code of RunRefused."""


UNKNOWN: Final = "HRIMS has no employee with this ZanID or payroll number."

UNKNOWN_IN_SCOPE: Final = "HRIMS has no employee with this ZanID or payroll number in your institutions."


class RunRefused(HrimsSyncError):
    """A run may no longer be executed as it was requested. Nothing was saved."""

    is_retryable = False

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


async def check_rights(pool: AsyncPool, attempt: Attempt) -> None:
    """Raise RunRefused unless the requester still has the right and the institution its identifier."""
    async with pool.connection() as conn:
        rights = await store.find_rights(conn, attempt.run_id)
    if code := _find_refusal(attempt, rights):
        raise _refused(code, rights.requester or "")
    if attempt.institution_id is not None and rights.identifier != attempt.identifier:
        raise _refused("institution_changed", _describe_change(attempt, rights.identifier))


async def is_person_visible(pool: AsyncPool, attempt: Attempt, zan_id: str, workplace: str | None) -> bool:
    """Return whether the requester may see the person that HRIMS returned."""
    async with pool.connection() as conn:
        rights = await store.find_rights(conn, attempt.run_id)
        return await store.is_person_in_scope(conn, rights.scope, zan_id, workplace)


async def find_unknown_person(pool: AsyncPool, attempt: Attempt) -> RemoteUnknown:
    """Return the error for a person that the requester cannot get.

    It is the same for a person of other institutions as for one that HRIMS does not know. Otherwise a limited
    requester could find out which numbers exist.
    """
    async with pool.connection() as conn:
        rights = await store.find_rights(conn, attempt.run_id)
    return RemoteUnknown(UNKNOWN if rights.scope.is_everything else UNKNOWN_IN_SCOPE)


def _find_refusal(attempt: Attempt, rights: RunRights) -> str | None:
    """Return the code of what the requester lacks; None if nothing."""
    if rights.requester is None:
        # Only the system requests runs without a user, and the database keeps that rule.
        return None
    if rights.is_disabled:
        return "requester_disabled"
    if rights.is_token_revoked:
        return "token_revoked"
    if rights.is_token_expired:
        return "token_expired"
    scope = rights.scope
    granted = permissions_of(rights.role or "", is_global=scope.is_everything)
    if PERMISSIONS.get(attempt.kind, Permission.SYNC) not in granted:
        return "requester_not_allowed"
    is_outside = attempt.institution_id is not None and not scope.covers(attempt.institution_id)
    return "requester_out_of_scope" if is_outside else None


def _describe_change(attempt: Attempt, identifier: str | None) -> str:
    noun = IDENTIFIERS[attempt.identifier_type]
    if identifier is None:
        return f"the institution has no {noun} any more"
    return f"the {noun} of the institution is now {identifier}, not {attempt.identifier}"


def _refused(code: str, about: str) -> RunRefused:
    return RunRefused(f"{REASONS[code].format(about)} Nothing was saved. Start a new sync.", code)
