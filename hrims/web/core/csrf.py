"""Protection against cross-site request forgery (CSRF).

A signed cookie carries a token that forms and scripts must send back.

All web processes of a database share the signing key and the names of the cookies. They are read from the
database at the first request that can, so that the process starts without it.
"""

import threading

from flask import Flask, Request, current_app, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_wtf.csrf import CSRFProtect, generate_csrf
from psycopg import Error, OperationalError

from hrims import resilience
from hrims.access import keys
from hrims.errors import DatabaseUnusable
from hrims.log import get_logger
from hrims.web.core import app_state

UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})

KEY_WAIT = 1.0
"""Seconds that a request waits for the key. Requests that need no key then continue without it."""

log = get_logger(__name__)

_csrf = CSRFProtect()


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
        except (Error, DatabaseUnusable) as error:
            log.warning("form_key_not_read", error=resilience.name_of(error))
        finally:
            self._reading.release()


def _read(app: Flask) -> None:
    state = app_state.state_of(app)
    with state.unchecked_pool().connection(timeout=KEY_WAIT) as conn:
        instance = keys.instance_id(conn)
        key = state.settings.secret_key or keys.secret_key(conn)
    app.config["SESSION_COOKIE_NAME"] = f"hrims_form_{instance}"
    app.config["HRIMS_SESSION_COOKIE"] = f"hrims_session_{instance}"
    app.secret_key = key


def prepare(app: Flask, *, https_only: bool) -> None:
    """Configure an app for signed forms."""
    app.session_interface = SharedKeySession()
    app.config.update(
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=https_only,
        # The guard decides which requests are checked. A page may stay open as long as its sign-in lasts.
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,
    )
    _csrf.init_app(app)
    app.jinja_env.globals["csrf_token"] = token
    app.context_processor(lambda: {"csrf_token": token})


def check() -> None:
    """Check the token of a write request. Raises flask_wtf.csrf.CSRFError."""
    if request.method in UNSAFE:
        _check_key()
        _csrf.protect()


def token() -> str:
    """Return the browser's token for forms (field ``csrf_token``) and scripts (header ``X-CSRFToken``)."""
    _check_key()
    token_: str = generate_csrf()
    return token_


def session_cookie() -> str:
    """Return the name of the session cookie."""
    _check_key()
    name: str = current_app.config["HRIMS_SESSION_COOKIE"]
    return name


def _check_key() -> None:
    if not current_app.secret_key:
        raise OperationalError("the key that signs forms could not be read")
