"""Actions of a sign-in with an OpenID provider: begin, finish, confirm a session."""

import hmac
import time
from collections.abc import Mapping
from typing import NamedTuple

import psycopg

from hrims.access import sessions, users
from hrims.access.actor import Actor
from hrims.access.audit import record
from hrims.access.openid import store
from hrims.access.openid.errors import OpenIdRefused, ProviderFailed
from hrims.access.openid.profile import Profile, read_profile
from hrims.access.openid.provider import Exchange, Provider, new_exchange
from hrims.access.sessions import SignedIn
from hrims.access.sign_in import SignIn, Visit, actor_of, begin_session
from hrims.access.users import store as user_store
from hrims.access.users.store import User
from hrims.audit import refusals
from hrims.db import Connection, Pool

MAX_SECONDS = 600.0
"""Seconds that a user has at the provider's page."""

LEEWAY = 60.0
"""Seconds by which the clock of the provider may differ."""

ERROR_LENGTH = 40
"""Characters of the provider's error that are recorded."""


class Pending(NamedTuple):
    """A sign-in that the browser has begun, kept in its signed cookie. ``session_id`` is one to confirm."""

    state: str
    nonce: str
    verifier: str
    next: str
    began: float
    session_id: int | None


def begin(provider: Provider, next_: str, now: float, session_id: int | None = None) -> tuple[str, Pending]:
    """Return the address of the provider's sign-in page, and what the browser keeps until it returns.

    ``session_id`` names a session to confirm: the provider then asks the user again. Raises ProviderFailed.
    """
    exchange = new_exchange()
    url = provider.authorization_url(exchange, again=session_id is not None)
    return url, Pending(*exchange, next_, now, session_id)


def finish(
    pool: Pool,
    provider: Provider,
    pending: Pending | None,
    answer: Mapping[str, str],
    visit: Visit,
    now: float,
) -> SignIn:
    """Sign the user of the provider's answer in. The user is created or updated.

    Raises OpenIdRefused or ProviderFailed, which are recorded.
    """
    try:
        profile = _fetch_profile(provider, pending, answer, now)[0]
        with pool.connection() as conn, conn.transaction():
            user = _save_user(conn, provider.issuer, profile, visit)
            return begin_session(conn, user, visit, by="openid")
    except (OpenIdRefused, ProviderFailed) as refused:
        _record_failure(pool, actor_of(visit), refused)
        raise


def confirm(
    pool: Pool,
    provider: Provider,
    pending: Pending | None,
    answer: Mapping[str, str],
    session: SignedIn,
    visit: Visit,
    now: float,
) -> None:
    """Record that the user of a session has signed in at the provider again. Raises as ``finish`` does."""
    try:
        profile, auth_time = _fetch_profile(provider, pending, answer, now)
        assert pending is not None
        with pool.connection() as conn, conn.transaction():
            is_same = store.find_name(conn, provider.issuer, profile.subject) == session.name
            if not is_same or pending.session_id != session.session_id:
                raise _refused("You have signed in as another user.", "another user")
            if auth_time is None or auth_time < pending.began - LEEWAY:
                raise _refused("The sign-in service has not asked you again.", "auth_time")
            sessions.confirm(conn, session.session_id)
            actor = actor_of(visit, session.name, session.user_id, session.role)
            record(conn, actor, "session.confirm", f"user:{session.name}", by="openid")
    except (OpenIdRefused, ProviderFailed) as refused:
        _record_failure(pool, actor_of(visit, session.name, session.user_id, session.role), refused)
        raise


def _fetch_profile(
    provider: Provider, pending: Pending | None, answer: Mapping[str, str], now: float
) -> tuple[Profile, float | None]:
    state = answer.get("state", "")
    is_ours = pending and hmac.compare_digest(pending.state.encode(), state.encode("utf-8", "replace"))
    if not pending or not is_ours or not now - pending.began < MAX_SECONDS:
        raise _refused("This sign-in was begun in another browser, or too long ago. Start again.", "state")
    if "error" in answer:
        error = "".join(sign for sign in answer["error"] if sign.isalnum() or sign == "_")[:ERROR_LENGTH]
        raise _refused("The sign-in service did not let you in, or you have cancelled.", f"error {error}")
    exchange = Exchange(pending.state, pending.nonce, pending.verifier)
    claims = provider.fetch_claims(answer.get("code", ""), exchange)
    auth_time = claims.get("auth_time")
    return read_profile(claims, provider.settings), (
        float(auth_time) if isinstance(auth_time, (int, float)) else None
    )


def _save_user(conn: Connection, issuer: str, profile: Profile, visit: Visit) -> User:
    store.lock_identity(conn, issuer, profile.subject)
    name = store.find_name(conn, issuer, profile.subject) or _add_user(conn, issuer, profile, visit)
    user = user_store.lock_user(conn, name)
    if user is None or user.disabled:
        raise _refused(f"The user {name} is disabled here. Ask an administrator.", "disabled")
    _update_rights(conn, user, profile, visit)
    return user


def _add_user(conn: Connection, issuer: str, profile: Profile, visit: Visit) -> str:
    user_id = user_store.insert_user(
        conn, profile.name, profile.role, None, all_institutions=_has_all(profile)
    )
    if user_id is None:
        raise _refused(
            f"There is a local user {profile.name} already, who is not linked to the sign-in service. "
            "Ask an administrator.",
            "name taken",
            "openid_name_taken",
        )
    store.insert_identity(conn, issuer, profile.subject, user_id)
    actor = actor_of(visit, profile.name, user_id, profile.role)
    record(conn, actor, "user.add", f"user:{profile.name}", by="openid", role=profile.role)
    return profile.name


def _has_all(profile: Profile) -> bool:
    return profile.institutions is None or profile.role in users.ROLES_WITH_ALL


def _update_rights(conn: Connection, user: User, profile: Profile, visit: Visit) -> None:
    """Save the role and the institutions that the provider names, as far as they have changed."""
    actor = actor_of(visit, user.name, user.id, profile.role)
    codes = profile.institutions or ()
    now = None if _has_all(profile) else store.find_institution_ids(conn, codes)
    before = user_store.find_institutions(conn, user.id)
    if now is None and before is not None:
        # Before the role: some roles need all institutions.
        user_store.replace_institutions(conn, user.id, None)
    if user.role != profile.role:
        _update_role(conn, user, profile.role)
        record(
            conn,
            actor,
            "user.set_role",
            f"user:{user.name}",
            before=user.role,
            after=profile.role,
            by="openid",
        )
    # Also if they have not changed: leaving a role that has all institutions drops them.
    if now != before or user.role != profile.role:
        user_store.replace_institutions(conn, user.id, now)
    if now != before:
        record(
            conn,
            actor,
            "user.set_institutions",
            f"user:{user.name}",
            before=_shown(before),
            after=_shown(now),
            by="openid",
        )


def _shown(institutions: list[int] | None) -> list[int] | str:
    return "all" if institutions is None else institutions


def _update_role(conn: Connection, user: User, role: str) -> None:
    try:
        with conn.transaction():
            user_store.update_role(conn, user.id, role)
    except psycopg.errors.CheckViolation:
        raise _refused(
            "The sign-in service takes your role as administrator away, and you are the last one. Add "
            "another administrator first.",
            "last administrator",
        ) from None


def _record_failure(pool: Pool, actor: Actor, refused: OpenIdRefused | ProviderFailed) -> None:
    # Anyone can send a wrong answer, so records are limited like those of refused requests.
    if not refusals.LIMITER.admit(actor.address, refused.code, time.monotonic()):
        return
    with pool.connection() as conn, conn.transaction():
        record(conn, actor, "session.sign_in_failed", "openid", code=refused.code, reason=refused.reason)


def _refused(message: str, reason: str, code: str | None = None) -> OpenIdRefused:
    return OpenIdRefused(f"{message} Nothing was changed.", reason, code)
