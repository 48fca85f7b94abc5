"""What makes a form ours: a signed cookie and the token that a form or script must send back.

The key that signs them, and the names of our cookies, are shared by all web processes of a database;
they are read from it at the first request that can, so that the process starts while it is away.
"""

import logging
import threading

from flask import Flask, Request, current_app, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_wtf.csrf import CSRFProtect, generate_csrf
from psycopg import Error, OperationalError

from hrims import steady
from hrims.access import keys
from hrims.errors import DatabaseUnusable
from hrims.web import parts

UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})

KEY_WAIT = 1.0
"""Seconds that a request waits for the key: those which need none go on without."""

log = logging.getLogger(__name__)

_csrf = CSRFProtect()


class SharedKey(SecureCookieSessionInterface):
    """Flask's signed cookie, with a key and a name from the database."""

    def __init__(self) -> None:
        self._reading = threading.Lock()

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if not app.secret_key:
            self._try_to_read(app)
        return super().open_session(app, request)

    def _try_to_read(self, app: Flask) -> None:
        # Not for longer than it takes to see that the database is away: health checks wait here too.
        if not self._reading.acquire(timeout=KEY_WAIT):
            return
        try:
            if not app.secret_key:
                _read(app)
        except (Error, DatabaseUnusable) as reason:
            log.warning("the key that signs forms cannot be read yet (%s)", steady.name_of(reason))
        finally:
            self._reading.release()


def _read(app: Flask) -> None:
    mine = parts.of(app)
    with mine.pool().connection(timeout=KEY_WAIT) as conn:
        instance = keys.instance(conn)
        key = mine.settings.secret_key or keys.secret_key(conn)
    app.config["SESSION_COOKIE_NAME"] = f"hrims_form_{instance}"
    app.config["HRIMS_SESSION_COOKIE"] = f"hrims_session_{instance}"
    app.secret_key = key


def prepare(app: Flask, *, https_only: bool) -> None:
    """Sets an app up for signed forms."""
    app.session_interface = SharedKey()
    app.config.update(
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=https_only,
        # The guard decides what is checked; a page may stay open as long as its sign-in lasts.
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,
    )
    _csrf.init_app(app)
    app.jinja_env.globals["csrf_token"] = token
    app.context_processor(lambda: {"csrf_token": token})


def check() -> None:
    """Refuses a write that does not carry our token. Raises flask_wtf.csrf.CSRFError."""
    if request.method in UNSAFE:
        _need_key()
        _csrf.protect()


def token() -> str:
    """The token for forms (field ``csrf_token``) and scripts (header ``X-CSRFToken``) of this browser."""
    _need_key()
    made: str = generate_csrf()
    return made


def session_cookie() -> str:
    """The name of the cookie that signs a person in."""
    _need_key()
    name: str = current_app.config["HRIMS_SESSION_COOKIE"]
    return name


def _need_key() -> None:
    if not current_app.secret_key:
        raise OperationalError("the key that signs forms could not be read")
