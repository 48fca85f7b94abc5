"""Authentication and authorization of requests.

Each endpoint needs the permission that the route table states (``hrims/web/routes.py``).
Pages use the browser's session; the API (paths under /api/) a bearer token or the session.
"""

import ipaddress
from collections.abc import Callable
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import urlsplit

from flask import Response, current_app, g, redirect, request, url_for

from hrims.access import sessions, tokens
from hrims.access.audit import Actor
from hrims.db import Connection
from hrims.errors import NotAllowed, NotSignedIn
from hrims.monitoring.exposition import bearer_of
from hrims.web.core import csrf
from hrims.web.core.app_state import pool
from hrims.web.core.permissions import Permission, permission_of, refusal

HOME = "/dashboard/admin/fetch-data"

MAX_NEXT_LENGTH = 2000
"""Maximum length of the URL to return to after a sign-in. A longer one is replaced by the home page."""


class Client(NamedTuple):
    """The authenticated client: the name for audit records, the role, and whether it used a token.

    ``number`` names the user or token without personal data, like ``user:12``.
    """

    name: str
    role: str
    number: str
    by_token: bool = False


def authorize() -> Response | None:
    """Authenticate every request before its view. Refuse it unless it is allowed."""
    if request.endpoint is None:
        # Nothing to protect at an unknown URL, but its error page shows the signed-in user.
        g.client = None if is_api() else signed_in()
        return None
    permission = permission_of(current_app, request.endpoint)
    if permission is Permission.PUBLIC:
        csrf.check()
        return None
    g.client = _by_token() if _has_token() else signed_in()
    if g.client is None:
        return _redirect_to_sign_in()
    if not g.client.by_token:
        csrf.check()
    if not permission.allows(g.client.role):
        raise NotAllowed(refusal(permission, g.client.role))
    return None


def can_use(endpoint: str) -> bool:
    """Return whether the client may use another endpoint. Pages use it to show links and buttons."""
    client: Client | None = g.get("client")
    return client is not None and permission_of(current_app, endpoint).allows(client.role)


def is_administrator() -> bool:
    """Return whether the client is an administrator, or has an administrator's token."""
    client: Client | None = g.get("client")
    return client is not None and client.role == "administrator"


def actor() -> Actor:
    """Return the actor of this request for audit records. Raises NotSignedIn if there is none."""
    client: Client | None = g.get("client")
    if client is None:
        raise NotSignedIn("Sign in first. Nothing was changed.")
    return Actor(client.name, "api" if is_api() else "page", address())


def signed_in() -> Client | None:
    """Return the user of this browser's session."""
    cookie = request.cookies.get(csrf.session_cookie())
    if not cookie:
        return None
    with pool().connection() as conn:
        session = sessions.find(conn, cookie)
    if session is None:
        return None
    return Client(session.name, session.role, f"user:{session.user_id}")


def access_check() -> Callable[[Connection], bool]:
    """Return a function that checks whether the sign-in of this request is still valid.

    It needs no request context, so a response that streams for minutes can call it until its end.
    """
    if _has_token():
        token = _bearer_token()
        return lambda conn: tokens.find_token(conn, token) is not None
    cookie = request.cookies.get(csrf.session_cookie(), "")
    return lambda conn: sessions.find(conn, cookie) is not None


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


def _has_token() -> bool:
    return is_api() and "Authorization" in request.headers


def _bearer_token() -> str:
    return bearer_of(request.headers["Authorization"])


def _by_token() -> Client:
    if token := _bearer_token():
        with pool().connection() as conn:
            row = tokens.find_token(conn, token)
        if row:
            # User names contain no colon, so the audit record distinguishes tokens from users.
            return Client(f"token:{row.name}", row.role, f"token:{row.id}", by_token=True)
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
