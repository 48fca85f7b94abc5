"""Actions of users on their own account: change the password, confirm the session."""

from hrims.access import devices, passwords, sessions, throttle, two_step
from hrims.access.account import store
from hrims.access.actor import Actor
from hrims.access.audit import record
from hrims.access.sessions import SignedIn
from hrims.access.sign_in import Visit, actor_of, begin_attempt, record_failure
from hrims.access.users.store import User
from hrims.db import Pool
from hrims.errors import Conflict, InvalidInput

WRONG_PASSWORD = "The current password is wrong. Nothing was changed."  # noqa: S105 - a message


def change_password(pool: Pool, actor: Actor, session: SignedIn, visit: Visit, current: str, new: str) -> str:
    """Change the password of the user of a session, which gets a new token. Return that.

    The user's other sessions end. Other known devices are forgotten. Raises InvalidInput if ``current`` is
    wrong, or if ``new`` is not allowed or the same. Raises TooManyFailures as a sign-in does.
    """
    user = check_password(pool, session, visit, current)
    if new == current:
        raise InvalidInput(
            "This is the current password. Nothing was changed. Choose another one.", "bad_password"
        )
    password_hash = passwords.hash_password(new, user.name)
    with pool.connection() as conn, conn.transaction():
        if not store.replace_password(conn, user, password_hash):
            raise Conflict(
                "The password was changed meanwhile. Nothing was changed now.", "changed_meanwhile"
            )
        renewed = sessions.renew(conn, session)
        devices.forget_others(conn, visit.settings, user.id, visit.device)
        record(conn, actor, "user.change_password", f"user:{user.name}", sessions_ended=renewed.ended)
    return renewed.token


def confirm_session(
    pool: Pool, actor: Actor, session: SignedIn, visit: Visit, typed: str, now: float
) -> None:
    """Record that the user of a session has typed the password or a code of the app again.

    Raises InvalidInput if it is wrong, and TooManyFailures as a sign-in does.
    """
    if two_step.is_code(typed):
        check_code(pool, actor, session, visit, typed, now)
    else:
        check_password(pool, session, visit, typed)
    by = "code" if two_step.is_code(typed) else "password"
    with pool.connection() as conn, conn.transaction():
        sessions.confirm(conn, session.session_id)
        record(conn, actor, "session.confirm", f"user:{session.name}", by=by)


def check_code(pool: Pool, actor: Actor, session: SignedIn, visit: Visit, code: str, now: float) -> None:
    """Check and take a code of the app of the user of a session. Raises as ``check_password`` does."""
    with pool.connection() as conn:
        attempt = begin_attempt(conn, session.name, visit, actor)
    with pool.connection() as conn, conn.transaction():
        if two_step.verify(conn, visit.settings, actor, session.user_id, code, now):
            throttle.release(conn, attempt)
            return
        record_failure(conn, attempt, actor)
    raise InvalidInput(two_step.WRONG_CODE, "wrong_code")


def check_password(pool: Pool, session: SignedIn, visit: Visit, password: str) -> User:
    """Check the password of the user of a session. Return the user.

    Raises InvalidInput if it is wrong, and TooManyFailures as a sign-in does: a session that was stolen must
    not be a way to guess the password.
    """
    actor = actor_of(visit, session.name, session.user_id, session.role)
    with pool.connection() as conn:
        attempt = begin_attempt(conn, session.name, visit, actor)
    user = attempt.user
    is_correct = passwords.matches(password, user.password_hash if user else None)
    with pool.connection() as conn, conn.transaction():
        if user and is_correct:
            throttle.release(conn, attempt)
            return user
        record_failure(conn, attempt, actor)
    raise InvalidInput(WRONG_PASSWORD, "wrong_password")
