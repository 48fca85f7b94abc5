"""Sign-in of users. Input: name and password, then a code. Output: tokens for two cookies, or a refusal."""

from typing import NamedTuple

from hrims import request_ids
from hrims.access import challenges, devices, passwords, sessions, throttle, two_step
from hrims.access.actor import Actor
from hrims.access.audit import record
from hrims.access.names import ANONYMOUS
from hrims.access.throttle import Attempt
from hrims.access.users.store import User, find_user, lock_if_unchanged
from hrims.config import Settings
from hrims.db import Connection, Pool
from hrims.errors import NotSignedIn


class Visit(NamedTuple):
    """The browser at the sign-in page: its address, name and cookies, and the settings of this process.

    ``session`` is the cookie of an earlier session, which ends. ``device`` is that of a known device.
    """

    settings: Settings
    address: str | None
    user_agent: str | None = None
    session: str | None = None
    device: str | None = None


def actor_of(
    visit: Visit, name: str = ANONYMOUS, user_id: int | None = None, role: str | None = None
) -> Actor:
    """Return a user of a browser as an actor. A user who has proved nothing is anonymous."""
    return Actor(
        name,
        "page",
        visit.address,
        user_id=user_id,
        role=role,
        user_agent=visit.user_agent,
        request_id=request_ids.current(),
    )


class CodeNeeded(NamedTuple):
    """A user whose password was right. ``challenge`` goes with the code to ``enter_code``."""

    challenge: str


class SignIn(NamedTuple):
    """A user who has signed in: the tokens for the cookies of the session and of the known device."""

    session: str
    device: str


def sign_in(pool: Pool, name: str, password: str, visit: Visit) -> SignIn | CodeNeeded:
    """Sign a user in, or ask for a code if two-step sign-in is on. The token of the session is always new.

    Raises NotSignedIn if the name or the password is wrong, without saying which. Raises TooManyFailures if
    sign-ins failed too often.
    """
    with pool.connection() as conn:
        attempt = begin_attempt(conn, name, visit, actor_of(visit))
    user = attempt.user
    # Use no connection meanwhile: the check is slow on purpose, and connections are few.
    is_correct = passwords.matches(password, user.password_hash if user else None)
    with pool.connection() as conn, conn.transaction():
        # Lock the user. A change of the password ends all existing sessions; without the lock it would miss a
        # session that is inserted just afterwards.
        if user and is_correct and lock_if_unchanged(conn, user):
            throttle.release(conn, attempt)
            if two_step.is_on(conn, user.id):
                return CodeNeeded(challenges.create(conn, user))
            return begin_session(conn, user, visit)
        record_failure(conn, attempt, actor_of(visit))
    raise NotSignedIn("This name and password do not belong together.", "wrong_password")


def enter_code(pool: Pool, challenge: str, code: str, visit: Visit, now: float) -> SignIn:
    """Sign a user in whose password was right. ``code`` is one of the app, or a recovery code.

    Raises NotSignedIn if the challenge has expired (``challenge_expired``) or the code is wrong. Raises
    TooManyFailures as ``sign_in`` does.
    """
    with pool.connection() as conn:
        user = challenges.find(conn, challenge)
        if user is None:
            raise NotSignedIn("The sign-in took too long. Enter your password again.", "challenge_expired")
        # The password was right, so the user is known.
        actor = to_actor(user, visit)
        attempt = begin_attempt(conn, user.name, visit, actor)
    with pool.connection() as conn, conn.transaction():
        # Lock the user before the code is taken, as every change of the user does.
        is_same = lock_if_unchanged(conn, user)
        is_right = is_same and two_step.verify(conn, visit.settings, actor, user.id, code, now)
        if is_right and challenges.take(conn, challenge):
            throttle.release(conn, attempt)
            return begin_session(conn, user, visit, by="code")
        record_failure(conn, attempt, actor)
    raise NotSignedIn(two_step.WRONG_CODE, "wrong_code")


def to_actor(user: User, visit: Visit) -> Actor:
    """Return a user as an actor."""
    return actor_of(visit, user.name, user.id, user.role)


def begin_session(conn: Connection, user: User, visit: Visit, *, by: str = "password") -> SignIn:
    """Begin the session of an authenticated user, and record how it began. The user must be locked."""
    if visit.session:
        sessions.end(conn, visit.session)
    record(conn, to_actor(user, visit), "session.sign_in", f"user:{user.name}", by=by)
    session = sessions.begin(
        conn,
        user.id,
        visit.address,
        visit.settings.session_hours,
        idle_minutes=visit.settings.session_idle_minutes,
        user_agent=visit.user_agent,
    )
    return SignIn(session, devices.remember(conn, visit.settings, user.id, visit.device))


def begin_attempt(conn: Connection, name: str, visit: Visit, actor: Actor) -> Attempt:
    """Count one attempt of a browser with a name. Raises TooManyFailures."""
    return throttle.begin(conn, visit.settings, name, visit.address, visit.device, actor=actor)


def record_failure(conn: Connection, attempt: Attempt, actor: Actor) -> None:
    """Record a sign-in that failed."""
    record(conn, actor, "session.sign_in_failed", attempt.subject)


def sign_out(conn: Connection, visit: Visit) -> None:
    """End the session of a browser if it still exists."""
    if not visit.session:
        return
    with conn.transaction():
        name = sessions.end(conn, visit.session)
        user = find_user(conn, name) if name else None
        if user:
            record(conn, to_actor(user, visit), "session.sign_out", f"user:{name}")
