"""Authentication and authorization of requests.

Each endpoint needs the permission that the route table states (``hrims/web/routes.py``).
Pages use the browser's session; the API (paths under /api/) a bearer token or the session.
"""

import ipaddress
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlsplit

from flask import Response, current_app, g, redirect, request, url_for

from hrims.access import request_limits, sessions, tokens
from hrims.access.actor import MAX_USER_AGENT, Actor
from hrims.access.permissions import Permission
from hrims.access.scope import Scope
from hrims.access.sessions import SignedIn
from hrims.db import Connection
from hrims.employees.masking import Mask, build_mask
from hrims.errors import NotSignedIn
from hrims.monitoring.exposition import bearer_of
from hrims.web.core import csrf, permissions
from hrims.web.core.access_log import request_id
from hrims.web.core.app_state import pool, settings

HOME = "/dashboard/admin/fetch-data"

ACTIVITY = "X-User-Activity"
"""The header that ``hrims.js`` adds to the requests of htmx that a user has caused."""

MAX_NEXT_LENGTH = 2000
"""Maximum length of the URL to return to after a sign-in. A longer one is replaced by the home page."""


def authorize() -> Response | None:
    """Authenticate every request before its view. Refuse it unless it is allowed."""
    if request.endpoint is None:
        # Nothing to protect at an unknown URL, but its error page shows the signed-in user.
        g.client = None if is_api() else signed_in()
        return None
    if permissions.is_public(current_app, request.endpoint):
        csrf.check()
        return None
    g.client = client = _by_token() if _has_token() else signed_in()
    if client is None:
        return _redirect_to_sign_in()
    if client.token_id is None:
        csrf.check()
    with pool().connection() as conn:
        request_limits.check(conn, settings(), client.number, client.address)
    if not permissions.allows(current_app, request.endpoint, client.permissions):
        raise permissions.refusal(current_app, request.endpoint, client)
    return None


def can_use(endpoint: str) -> bool:
    """Return whether the client may use another endpoint. Pages use it to show links and buttons."""
    client: Actor | None = g.get("client")
    return client is not None and permissions.allows(current_app, endpoint, client.permissions)


def can(permission: Permission) -> bool:
    """Return whether the client has a permission."""
    return actor().can(permission)


def actor() -> Actor:
    """Return the actor of this request. Raises NotSignedIn if there is none."""
    client: Actor | None = g.get("client")
    if client is None:
        raise NotSignedIn("Sign in first. Nothing was changed.")
    return client


def scope() -> Scope:
    """Return what the client of this request may see."""
    return actor().scope


def mask() -> Mask:
    """Return the mask of the fields of employees that the client of this request may not see."""
    return build_mask(actor().permissions)


def signed_in() -> Actor | None:
    """Return the user of this browser's session."""
    cookie = request.cookies.get(csrf.session_cookie())
    if not cookie:
        return None
    with pool().connection() as conn:
        session = sessions.find(conn, cookie)
        if session and session.is_due and _is_activity():
            sessions.touch(conn, session.session_id, address())
    g.sign_in = session
    return _from_here(_to_actor(session)) if session else None


def _find_user(conn: Connection, cookie: str) -> Actor | None:
    session = sessions.find(conn, cookie)
    return _to_actor(session) if session else None


def _to_actor(session: SignedIn) -> Actor:
    institutions = session.institutions
    user_scope = Scope(None if institutions is None else tuple(institutions), session.user_id)
    return Actor(session.name, "page", user_id=session.user_id, role=session.role, scope=user_scope)


def _from_here(found: Actor) -> Actor:
    agent = request.user_agent.string[:MAX_USER_AGENT]
    return found._replace(
        via="api" if is_api() else "page",
        address=address(),
        user_agent=agent if agent.isprintable() else None,
        request_id=request_id(),
    )


def client_finder() -> Callable[[Connection], Actor | None]:
    """Return a function that finds the client of this request again; None if the sign-in is no longer valid.

    It needs no request context, so a response that streams for minutes can call it until its end.
    """
    if _has_token():
        token = _bearer_token()
        return lambda conn: tokens.find_token(conn, token)
    cookie = request.cookies.get(csrf.session_cookie(), "")
    return lambda conn: _find_user(conn, cookie)


def is_api() -> bool:
    """Return whether this is a request of the API or a probe, which gets JSON in every case."""
    return request.path.startswith("/api/") or request.path in {"/api", "/healthz", "/readyz", "/metrics"}


def address() -> str | None:
    """Return the IP address of the client, behind the trusted proxies; None if it is unknown."""
    try:
        ip = ipaddress.ip_address((request.remote_addr or "").partition("%")[0])
    except ValueError:
        return None
    return str(getattr(ip, "ipv4_mapped", None) or ip)


def local_path(next_: str | None) -> str:
    """Return the path to open after a sign-in: the given path if it is a local one, else the home page."""
    path = (next_ or "").partition("?")[0]
    is_local = path.startswith("/") and not path.startswith(("//", "/sign-in", "/sign-out"))
    is_valid = len(next_ or "") <= MAX_NEXT_LENGTH and (next_ or "").isprintable() and "\\" not in path
    return next_ if next_ and is_local and is_valid else HOME


def _is_activity() -> bool:
    """Return whether a user has caused this request. A page that updates itself keeps no session alive."""
    if "text/event-stream" in request.headers.get("Accept", ""):
        return False
    return request.headers.get("HX-Request") != "true" or ACTIVITY in request.headers


def _has_token() -> bool:
    return is_api() and "Authorization" in request.headers


def _bearer_token() -> str:
    return bearer_of(request.headers["Authorization"])


def _by_token() -> Actor:
    token = _bearer_token()
    with pool().connection() as conn:
        found = tokens.find_token(conn, token) if token else None
        if found:
            return _from_here(found)
        request_limits.check_unauthorized(conn, settings(), address())
    raise NotSignedIn("This token is not valid. Nothing was changed.", "bad_token")


def _redirect_to_sign_in() -> Response:
    if is_api():
        raise NotSignedIn("Sign in, or send Authorization: Bearer and a token. Nothing was changed.")
    if request.headers.get("HX-Request") == "true":
        response = Response(status=HTTPStatus.UNAUTHORIZED)
        response.headers["HX-Redirect"] = _sign_in_from(_path_of(request.headers.get("HX-Current-URL", "")))
        return response
    path = request.full_path.rstrip("?") if request.method in {"GET", "HEAD"} else HOME
    return current_app.make_response(redirect(_sign_in_from(path), code=HTTPStatus.SEE_OTHER))


def _path_of(url: str) -> str:
    try:
        return urlsplit(url)._replace(scheme="", netloc="").geturl()
    except ValueError:
        return HOME


def _sign_in_from(path: str) -> str:
    return url_for("sign_in.show", next=local_path(path))
