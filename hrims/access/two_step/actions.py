"""Actions on two-step sign-in: start, confirm, verify, turn off, reset."""

from datetime import datetime
from typing import NamedTuple

from hrims.access import passwords, sessions, users
from hrims.access.actor import Actor
from hrims.access.audit import record
from hrims.access.sessions import SignedIn
from hrims.access.token_hash import hash_token
from hrims.access.two_step import codes, secret_box, store
from hrims.config import Settings
from hrims.db import Connection
from hrims.errors import Conflict, InvalidInput, NotFound

RECOVERY_CODES = 10
"""Recovery codes that a user gets at a time."""

WRONG_CODE = "This code is wrong, or it was used before. Wait for the next one."


class Enrolment(NamedTuple):
    """A secret that the user has not confirmed yet, and the URI with it for a QR code."""

    secret: str
    uri: str


class Status(NamedTuple):
    """Since when two-step sign-in is on; None if it is off. How many recovery codes are left."""

    since: datetime | None
    codes_left: int


class TurnedOn(NamedTuple):
    """The recovery codes of a user, and the new token of the session."""

    recovery_codes: list[str]
    token: str


def is_code(typed: str) -> bool:
    """Return whether the text looks like a code of an app. No password does: it is longer."""
    return codes.read_code(typed) is not None


def is_on(conn: Connection, user_id: int) -> bool:
    """Return whether a user needs a code to sign in."""
    return store.read_status(conn, user_id)[0] is not None


def read_status(conn: Connection, user_id: int) -> Status:
    """Return the state for the page of the user."""
    return Status(*store.read_status(conn, user_id))


def start(conn: Connection, settings: Settings, session: SignedIn) -> None:
    """Create the secret of a user. It has no effect until ``confirm``. Idempotent.

    Raises Conflict if two-step sign-in is on.
    """
    with conn.transaction():
        store.lock_user(conn, session.user_id)
        _check_is_off(conn, session.user_id)
        encrypted = secret_box.encrypt(conn, settings, session.user_id, codes.new_secret())
        store.insert_secret(conn, session.user_id, encrypted)


def find_enrolment(conn: Connection, settings: Settings, session: SignedIn, instance: str) -> Enrolment:
    """Return the secret that waits for its first code. ``instance`` is the host that the user knows.

    Raises Conflict if there is none.
    """
    _check_is_off(conn, session.user_id)
    secret = _read_secret(conn, settings, session.user_id)
    if secret is None:
        raise Conflict("Start the set-up of two-step sign-in first. Nothing was changed.", "not_started")
    return Enrolment(secret, codes.build_uri(secret, session.name, instance))


def confirm(
    conn: Connection, settings: Settings, actor: Actor, session: SignedIn, typed: str, now: float
) -> TurnedOn:
    """Turn two-step sign-in on with the first code of the app. The user's other sessions end.

    Raises InvalidInput for a wrong code, Conflict if it is on already or was not started.
    """
    with conn.transaction():
        store.lock_user(conn, session.user_id)
        secret = find_enrolment(conn, settings, session, "").secret
        code = codes.read_code(typed)
        step = codes.find_step(secret, code, now) if code else None
        if step is None:
            raise InvalidInput(
                "This code is wrong. Check the time of your phone. Nothing was changed.", "wrong_code"
            )
        store.confirm(conn, session.user_id, step)
        renewed = sessions.renew(conn, session)
        record(conn, actor, "user.two_step_on", f"user:{session.name}", sessions_ended=renewed.ended)
        return TurnedOn(_new_recovery_codes(conn, session.user_id), renewed.token)


def verify(conn: Connection, settings: Settings, actor: Actor, user_id: int, typed: str, now: float) -> bool:
    """Return whether this is the code of the app or a recovery code of the user, and take it.

    A code is taken once, also if two requests send it at the same time. Call it inside a transaction.
    """
    code = codes.read_code(typed)
    if code is None:
        return _take_recovery_code(conn, actor, user_id, typed)
    secret = _read_secret(conn, settings, user_id)
    step = codes.find_step(secret, code, now) if secret else None
    return step is not None and store.take_step(conn, user_id, step)


def renew_recovery_codes(conn: Connection, actor: Actor, session: SignedIn) -> list[str]:
    """Replace and return the recovery codes of a user. Raises Conflict if two-step sign-in is off."""
    with conn.transaction():
        store.lock_user(conn, session.user_id)
        if not is_on(conn, session.user_id):
            raise Conflict("Two-step sign-in is off. Nothing was changed.", "two_step_off")
        record(conn, actor, "user.renew_recovery_codes", f"user:{session.name}")
        return _new_recovery_codes(conn, session.user_id)


def turn_off(conn: Connection, actor: Actor, session: SignedIn) -> str:
    """Turn two-step sign-in of the user of a session off. Return the new token of the session.

    The user's other sessions end. Raises Conflict if it is off already.
    """
    with conn.transaction():
        if not store.delete(conn, session.user_id):
            raise Conflict("Two-step sign-in is off already. Nothing was changed.", "two_step_off")
        renewed = sessions.renew(conn, session)
        record(conn, actor, "user.two_step_off", f"user:{session.name}", sessions_ended=renewed.ended)
    return renewed.token


def reset_two_step(conn: Connection, actor: Actor, name: str) -> None:
    """Turn off two-step sign-in for a user who has lost the app and the recovery codes. End all sessions.

    Raises NotFound for an unknown user, Conflict if it is off already.
    """
    with conn.transaction():
        user = users.find(conn, name)
        if not user:
            raise NotFound("There is no user of this name. Nothing was changed.", "unknown_user")
        if not store.delete(conn, user.id):
            raise Conflict(
                f"Two-step sign-in of {user.name} is off already. Nothing was changed.", "two_step_off"
            )
        ended = sessions.end_all(conn, user.id)
        record(conn, actor, "user.reset_two_step", f"user:{user.name}", sessions_ended=ended)


def _check_is_off(conn: Connection, user_id: int) -> None:
    if is_on(conn, user_id):
        raise Conflict("Two-step sign-in is on already. Nothing was changed.", "two_step_on")


def _read_secret(conn: Connection, settings: Settings, user_id: int) -> str | None:
    encrypted = store.find_secret(conn, user_id)
    return secret_box.decrypt(conn, settings, user_id, encrypted) if encrypted else None


def _new_recovery_codes(conn: Connection, user_id: int) -> list[str]:
    new = [passwords.generate() for _ in range(RECOVERY_CODES)]
    store.replace_recovery_codes(conn, user_id, [_hash(code) for code in new])
    return new


def _take_recovery_code(conn: Connection, actor: Actor, user_id: int, typed: str) -> bool:
    if not store.take_recovery_code(conn, user_id, _hash(typed)):
        return False
    left = read_status(conn, user_id).codes_left
    record(conn, actor, "user.use_recovery_code", f"user:{actor.name}", codes_left=left)
    return True


def _hash(code: str) -> bytes:
    return hash_token(codes.normalize_recovery_code(code))
