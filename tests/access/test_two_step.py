"""Codes of an app and recovery codes: on, used once each, off; then every refusal."""

import base64

import pyotp
import pytest

from hrims import db
from hrims.access import passwords, sessions, sign_in, two_step, users
from hrims.access.actor import Actor
from hrims.access.sessions import SignedIn
from hrims.access.sign_in import CodeNeeded, SignIn, Visit
from hrims.access.throttle import PAIR, TooManyFailures
from hrims.access.two_step import codes
from hrims.config import load
from hrims.db import Connection
from hrims.errors import Conflict, InvalidInput, NotFound, NotSignedIn
from hrims.vault.errors import SecretUnreadable
from tests.access.accounts import PASSWORD, ROOT, SETTINGS, at_once, records
from tests.support.encryption import OTHER_KEY

NOW = 1_800_000_000.0
"""The time of the tests, the first second of a code."""

ASHA, HERE = Actor("asha", "page", "192.0.2.7"), Visit(SETTINGS, "192.0.2.7")


@pytest.fixture
def session(conn: Connection) -> SignedIn:
    """Return the session of the officer asha."""
    id_ = users.add_user(conn, ROOT, "asha", "officer", PASSWORD)
    found = sessions.find(conn, sessions.begin(conn, id_, None, hours=1))
    assert found
    return found


@pytest.fixture
def app(conn: Connection, session: SignedIn) -> pyotp.TOTP:
    """Return the app of asha, whose two-step sign-in is on since two codes ago."""
    two_step.start(conn, SETTINGS, session)
    totp = pyotp.TOTP(two_step.find_enrolment(conn, SETTINGS, session, "hrims.example").secret)
    two_step.confirm(conn, SETTINGS, ASHA, session, totp.at(int(NOW) - 60), NOW - 60)
    return totp


def is_accepted(conn: Connection, session: SignedIn, code: str, now: float = NOW) -> bool:
    """Return whether a code is accepted."""
    with conn.transaction():
        return two_step.verify(conn, SETTINGS, ASHA, session.user_id, code, now)


def challenge_of(pool: db.Pool) -> str:
    """Sign in with the right password, which is not enough."""
    result = sign_in.sign_in(pool, "asha", PASSWORD, HERE)
    assert isinstance(result, CodeNeeded)
    return result.challenge


def test_it_works(conn: Connection, session: SignedIn) -> None:
    two_step.start(conn, SETTINGS, session)
    enrolment = two_step.find_enrolment(conn, SETTINGS, session, "hrims.example")
    assert enrolment.uri.startswith("otpauth://totp/HRIMS%20Sync:asha%40hrims.example?secret=")
    assert len(base64.b32decode(enrolment.secret)) == 20
    assert not two_step.is_on(conn, session.user_id)
    code = pyotp.TOTP(enrolment.secret).at(int(NOW))
    turned_on = two_step.confirm(conn, SETTINGS, ASHA, session, f"{code[:3]} {code[3:]}", NOW)
    assert len(set(turned_on.recovery_codes)) == 10
    renewed = sessions.find(conn, turned_on.token)
    assert renewed
    assert renewed.session_id == session.session_id
    assert two_step.is_on(conn, session.user_id)
    assert two_step.read_status(conn, session.user_id).codes_left == 10
    assert records(conn, "user.two_step_on") == [("asha", "user:asha", {"sessions_ended": 0})]


def test_a_sign_in_needs_the_code(conn: Connection, pool: db.Pool, app: pyotp.TOTP) -> None:
    signed_in = sign_in.enter_code(pool, challenge_of(pool), app.at(int(NOW)), HERE, NOW)
    assert isinstance(signed_in, SignIn)
    assert sessions.find(conn, signed_in.session)
    assert records(conn, "session.sign_in") == [("asha", "user:asha", {"by": "code"})]
    assert conn.execute("SELECT count(*) FROM failed_sign_ins").fetchone() == (0,)


@pytest.mark.parametrize(
    ("seconds", "accepted"), [(-31, False), (-30, True), (0, True), (59, True), (60, False)]
)
def test_the_clock_of_a_phone_may_differ_by_half_a_minute(
    conn: Connection, session: SignedIn, app: pyotp.TOTP, seconds: int, *, accepted: bool
) -> None:
    assert is_accepted(conn, session, app.at(int(NOW)), NOW + seconds) == accepted


def test_a_code_is_accepted_once(conn: Connection, session: SignedIn, app: pyotp.TOTP) -> None:
    code, earlier = app.at(int(NOW)), app.at(int(NOW) - 30)
    assert [is_accepted(conn, session, code), is_accepted(conn, session, code)] == [True, False]
    assert not is_accepted(conn, session, earlier)
    assert is_accepted(conn, session, app.at(int(NOW) + 30))


def test_the_first_code_is_not_accepted_again(conn: Connection, session: SignedIn) -> None:
    two_step.start(conn, SETTINGS, session)
    code = pyotp.TOTP(two_step.find_enrolment(conn, SETTINGS, session, "").secret).at(int(NOW))
    two_step.confirm(conn, SETTINGS, ASHA, session, code, NOW)
    assert not is_accepted(conn, session, code)


def test_of_many_who_send_a_code_at_once_one_is_accepted(
    conn: Connection, pool: db.Pool, session: SignedIn, app: pyotp.TOTP
) -> None:
    code = app.at(int(NOW))

    def send(_: int) -> bool:
        with pool.connection() as own_conn:
            return is_accepted(own_conn, session, code)

    assert sum(at_once(8, send)) == 1


def test_a_recovery_code_works_once_and_however_it_is_typed(
    conn: Connection, pool: db.Pool, session: SignedIn, app: pyotp.TOTP
) -> None:
    first, second, *_ = two_step.renew_recovery_codes(conn, ASHA, session)
    signed_in = sign_in.enter_code(pool, challenge_of(pool), f" {first.upper()} ", HERE, NOW)
    assert sessions.find(conn, signed_in.session)
    assert records(conn, "user.use_recovery_code") == [("asha", "user:asha", {"codes_left": 9})]
    with pytest.raises(NotSignedIn, match="used before"):
        sign_in.enter_code(pool, challenge_of(pool), first, HERE, NOW)
    assert is_accepted(conn, session, second.replace("-", ""))
    newer = two_step.renew_recovery_codes(conn, ASHA, session)
    assert two_step.read_status(conn, session.user_id).codes_left == len(newer) == 10


@pytest.mark.parametrize(
    "code", ["", "1", "0000000", "abcd-efgh-jkmn-pqrs", "١٢٣٤٥٦", "\udc80", "x" * 10_000]
)
def test_a_wrong_code_is_refused(conn: Connection, session: SignedIn, app: pyotp.TOTP, code: str) -> None:
    assert not is_accepted(conn, session, code)


def test_wrong_codes_are_slowed_down_and_recorded(conn: Connection, pool: db.Pool, app: pyotp.TOTP) -> None:
    wrong = f"{(int(app.at(int(NOW))) + 1) % 1_000_000:06}"
    challenge = challenge_of(pool)
    for _ in range(PAIR.free):
        with pytest.raises(NotSignedIn) as refused:
            sign_in.enter_code(pool, challenge, wrong, HERE, NOW + 3600)
        assert refused.value.code == "wrong_code"
    with pytest.raises(TooManyFailures):
        sign_in.enter_code(pool, challenge, app.at(int(NOW)), HERE, NOW)
    assert len(records(conn, "session.sign_in_failed")) == PAIR.free


def test_a_challenge_works_once_and_expires(conn: Connection, pool: db.Pool, app: pyotp.TOTP) -> None:
    expired = challenge_of(pool)
    conn.execute("UPDATE sign_in_challenges SET expires_at = now()")
    used = challenge_of(pool)
    sign_in.enter_code(pool, used, app.at(int(NOW)), HERE, NOW)
    for challenge in (used, expired, "", "x", "\udc80"):
        with pytest.raises(NotSignedIn) as refused:
            sign_in.enter_code(pool, challenge, app.at(int(NOW) + 30), HERE, NOW + 30)
        assert refused.value.code == "challenge_expired"


@pytest.mark.parametrize("change", ["password", "disable"])
def test_a_challenge_ends_if_the_user_changes_meanwhile(
    conn: Connection, pool: db.Pool, app: pyotp.TOTP, change: str
) -> None:
    users.add_user(conn, ROOT, "binti", "administrator", PASSWORD)
    challenge = challenge_of(pool)
    if change == "password":
        users.set_password(conn, ROOT, "asha", "a dry monsoon")
    else:
        users.disable(conn, ROOT, "asha")
    with pytest.raises(NotSignedIn):
        sign_in.enter_code(pool, challenge, app.at(int(NOW)), HERE, NOW)


def test_a_secret_that_waits_for_its_first_code_stays_the_same(conn: Connection, session: SignedIn) -> None:
    two_step.start(conn, SETTINGS, session)
    first = two_step.find_enrolment(conn, SETTINGS, session, "")
    two_step.start(conn, SETTINGS, session)
    assert two_step.find_enrolment(conn, SETTINGS, session, "") == first
    with pytest.raises(InvalidInput, match="Check the time of your phone"):
        two_step.confirm(conn, SETTINGS, ASHA, session, "12345", NOW)
    assert not two_step.is_on(conn, session.user_id)


def test_what_does_not_fit_the_state_is_refused(conn: Connection, session: SignedIn) -> None:
    with pytest.raises(Conflict, match="Start the set-up"):
        two_step.confirm(conn, SETTINGS, ASHA, session, "123456", NOW)
    for action in (two_step.turn_off, two_step.renew_recovery_codes):
        with pytest.raises(Conflict, match="is off"):
            action(conn, ASHA, session)
    two_step.start(conn, SETTINGS, session)
    code = pyotp.TOTP(two_step.find_enrolment(conn, SETTINGS, session, "").secret).at(int(NOW))
    two_step.confirm(conn, SETTINGS, ASHA, session, code, NOW)
    for again in (
        lambda: two_step.start(conn, SETTINGS, session),
        lambda: two_step.find_enrolment(conn, SETTINGS, session, ""),
    ):
        with pytest.raises(Conflict, match="is on already"):
            again()


def test_it_is_turned_off(conn: Connection, pool: db.Pool, session: SignedIn, app: pyotp.TOTP) -> None:
    other = sessions.begin(conn, session.user_id, None, hours=1)
    token = two_step.turn_off(conn, ASHA, session)
    assert sessions.find(conn, token)
    assert sessions.find(conn, other) is None
    assert two_step.read_status(conn, session.user_id) == (None, 0)
    assert isinstance(sign_in.sign_in(pool, "asha", PASSWORD, HERE), SignIn)
    assert records(conn, "user.two_step_off") == [("asha", "user:asha", {"sessions_ended": 1})]


def test_an_administrator_resets_it(conn: Connection, session: SignedIn, app: pyotp.TOTP) -> None:
    two_step.reset_two_step(conn, ROOT, " ASHA ")
    assert not two_step.is_on(conn, session.user_id)
    assert sessions.list_sessions(conn, session.user_id) == []
    assert records(conn, "user.reset_two_step") == [("root", "user:asha", {"sessions_ended": 1})]
    with pytest.raises(Conflict, match="of asha is off already"):
        two_step.reset_two_step(conn, ROOT, "asha")
    with pytest.raises(NotFound):
        two_step.reset_two_step(conn, ROOT, "juma")


def test_the_database_holds_no_secret_and_no_code(
    conn: Connection, session: SignedIn, app: pyotp.TOTP
) -> None:
    recovery = two_step.renew_recovery_codes(conn, ASHA, session)
    row = conn.execute(
        "SELECT (SELECT encode(secret, 'escape') || t::text FROM two_step t),"
        " (SELECT string_agg(r::text, '') FROM recovery_codes r),"
        " (SELECT string_agg(a::text, '') FROM audit_log a)"
    ).fetchone()
    assert row
    for secret in (app.secret, *recovery, codes.normalize_recovery_code(recovery[0])):
        assert secret not in "".join(row)
    other = load({"HRIMS_ENCRYPTION_KEY": OTHER_KEY})
    with pytest.raises(SecretUnreadable):
        two_step.verify(conn, other, ASHA, session.user_id, "123456", NOW)


def test_a_secret_that_is_copied_to_another_user_is_refused(
    conn: Connection, session: SignedIn, app: pyotp.TOTP
) -> None:
    juma = users.add_user(conn, ROOT, "juma", "officer", PASSWORD)
    conn.execute("UPDATE two_step SET user_id = %s", (juma,))
    with pytest.raises(SecretUnreadable):
        two_step.verify(conn, SETTINGS, ASHA, juma, app.at(int(NOW)), NOW)


def test_no_password_looks_like_a_code() -> None:
    assert two_step.is_code(" 123 456 ")
    assert not two_step.is_code(passwords.generate())


def test_a_session_that_has_ended_changes_nothing(
    conn: Connection, session: SignedIn, app: pyotp.TOTP
) -> None:
    sessions.end_all(conn, session.user_id)
    with pytest.raises(NotSignedIn, match="Your session has ended"):
        two_step.turn_off(conn, ASHA, session)
    assert two_step.is_on(conn, session.user_id)
