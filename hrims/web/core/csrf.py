"""Protection against cross-site request forgery (CSRF).

Input: a request. Output: a token for the forms of a page, or a refusal. A request that changes something must
come from a page of this site, and send back the token of that page. The token belongs to the session of its
cookie; before a sign-in, to a signed cookie of its own.

All web processes of a database share the signing key and the names of the cookies. They are read from the
database at the first request that can, so that the process starts without it.
"""

import hashlib
import hmac
import secrets
import threading
from typing import Final

from flask import Flask, Request, current_app, g, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from psycopg import Error, OperationalError

from hrims import resilience
from hrims.access import keys
from hrims.errors import DatabaseUnusable, InvalidInput
from hrims.log import get_logger
from hrims.vault.errors import SecretUnreadable
from hrims.web.core import app_state
from hrims.web.core.request_origin import is_from_here

UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})

KEY_WAIT = 1.0
"""Seconds that a request waits for the key. Requests that need no key then continue without it."""

FIELD: Final = "csrf_token"
HEADER: Final = "X-CSRFToken"

KEY_PROBLEM: Final = "hrims.form_key_problem"
"""The extension that holds the reason why the key cannot be decrypted."""

BROWSER: Final = "browser"
"""The key of the signed cookie for the text that stands for a browser without a session."""

HOST_PREFIX: Final = "__Host-"
"""Browsers accept a cookie with this prefix only over TLS, from this host itself and for all of its paths."""

EXPIRED: Final = (
    "The page has expired, or the request did not come from it. Nothing was changed. Reload the page."
)

FROM_ELSEWHERE: Final = "The request did not come from a page of this site. Nothing was changed."

log = get_logger(__name__)


class SharedKeySession(SecureCookieSessionInterface):
    """Flask's signed cookie, with a key and a name from the database."""

    def __init__(self) -> None:
        self._reading = threading.Lock()

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if not app.secret_key:
            self._try_to_read(app)
        return super().open_session(app, request)

    def _try_to_read(self, app: Flask) -> None:
        # Wait only as long as it takes to detect that the database is unavailable: health checks wait here
        # too.
        if not self._reading.acquire(timeout=KEY_WAIT):
            return
        try:
            if not app.secret_key:
                _read(app)
                app.extensions.pop(KEY_PROBLEM, None)
        except SecretUnreadable as error:
            app.extensions[KEY_PROBLEM] = str(error)
            log.warning("form_key_unreadable", message=str(error))
        except (Error, DatabaseUnusable) as error:
            log.warning("form_key_not_read", error=resilience.name_of(error))
        finally:
            self._reading.release()


def _read(app: Flask) -> None:
    state = app_state.state_of(app)
    with state.unchecked_pool().connection(timeout=KEY_WAIT) as conn:
        instance = keys.instance_id(conn)
        key = state.settings.secret_key or keys.secret_key(conn, state.settings)
    prefix = HOST_PREFIX if app.config["SESSION_COOKIE_SECURE"] else ""
    app.config["SESSION_COOKIE_NAME"] = f"{prefix}hrims_form_{instance}"
    app.config["HRIMS_SESSION_COOKIE"] = f"{prefix}hrims_session_{instance}"
    app.config["HRIMS_DEVICE_COOKIE"] = f"{prefix}hrims_device_{instance}"
    app.secret_key = key


def prepare(app: Flask, *, https_only: bool) -> None:
    """Configure an app for signed forms."""
    app.session_interface = SharedKeySession()
    app.config.update(
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=https_only,
        SESSION_COOKIE_PATH="/",
    )
    app.jinja_env.globals["csrf_token"] = token


def check() -> None:
    """Check where a write request comes from, and its token. Raises InvalidInput."""
    if request.method not in UNSAFE:
        return
    https_only = current_app.config["SESSION_COOKIE_SECURE"]
    if not is_from_here(request.headers, "https" if https_only else request.scheme, request.host):
        raise InvalidInput(FROM_ELSEWHERE, "csrf")
    _check_key()
    if not _is_own(request.headers.get(HEADER) or request.form.get(FIELD) or ""):
        raise InvalidInput(EXPIRED, "csrf")


def token() -> str:
    """Return a token for forms (field ``csrf_token``) and scripts (header ``X-CSRFToken``) of this page."""
    _check_key()
    if "csrf_token" not in g:
        # Another one for each page, so that its compressed size tells nothing of it.
        nonce = secrets.token_urlsafe(16)
        g.csrf_token = f"{nonce}.{_sign(nonce, _owner() or _new_owner())}"
    made: str = g.csrf_token
    return made


def session_cookie() -> str:
    """Return the name of the session cookie."""
    _check_key()
    name: str = current_app.config["HRIMS_SESSION_COOKIE"]
    return name


def device_cookie() -> str:
    """Return the name of the cookie of a known device."""
    _check_key()
    name: str = current_app.config["HRIMS_DEVICE_COOKIE"]
    return name


def _is_own(given: str) -> bool:
    nonce, _, signature = given.partition(".")
    owner = _owner()
    return owner is not None and hmac.compare_digest(_sign(nonce, owner).encode(), _as_bytes(signature))


def _owner() -> str | None:
    """Return to what the token of this request belongs: its session, or the browser before a sign-in."""
    if cookie := request.cookies.get(session_cookie()):
        return f"session {cookie}"
    browser = session.get(BROWSER)
    return f"{BROWSER} {browser}" if browser else None


def _new_owner() -> str:
    session[BROWSER] = secrets.token_urlsafe(32)
    return f"{BROWSER} {session[BROWSER]}"


def _sign(nonce: str, owner: str) -> str:
    key = str(current_app.secret_key).encode()
    return hmac.new(key, _as_bytes(f"form {nonce} {owner}"), hashlib.sha256).hexdigest()


def _as_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _check_key() -> None:
    if not current_app.secret_key:
        if problem := current_app.extensions.get(KEY_PROBLEM):
            raise SecretUnreadable(problem)
        raise OperationalError("the key that signs forms could not be read")
