"""Who asks, and may they? Deny by default: a view that is not marked public needs a sign-in.

Pages take the browser's session; the API (paths under /api/) a bearer token, or the session.
"""

import ipaddress
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, redirect, request, url_for

from hrims.access import sessions, tokens
from hrims.access.audit import Actor
from hrims.db import Connection
from hrims.errors import NotAllowed, NotSignedIn
from hrims.web import forms, static_files
from hrims.web.parts import pool

View = TypeVar("View", bound=Callable[..., Any])

HOME = "/dashboard/admin/fetch-data"

LONGEST_NEXT = 2000
"""Letters of an address to which a sign-in leads back; a longer one leads home."""

_public: set[Callable[..., Any]] = set()
_looks: set[Callable[..., Any]] = set()


class Who(NamedTuple):
    """Who asks: the name for the record, the role, and whether a token said so."""

    name: str
    role: str
    by_token: bool = False


def public(view: View) -> View:
    """Marks a view that needs no sign-in. Stands right above the function, below its route."""
    _public.add(view)
    return view


def looks(view: View) -> View:
    """Marks a view that changes nothing though it is a POST: what it is asked with, like a person's name,
    would stand in logs and histories as a part of an address. Stands right above the function.
    """
    _looks.add(view)
    return view


def is_public(app: Flask, endpoint: str) -> bool:
    """Whether an endpoint answers without a sign-in."""
    return endpoint == static_files.ENDPOINT or app.view_functions[endpoint] in _public


def let_in() -> Response | None:
    """Before every request: notes who asks, or answers that they may not."""
    if request.endpoint is None:
        # There is nothing to guard at such an address, but the page that says so names who is signed in.
        g.who = None if is_api() else signed_in()
        return None
    if is_public(current_app, request.endpoint):
        forms.check()
        return None
    g.who = _by_token() if _has_token() else signed_in()
    if g.who is None:
        return _refuse()
    if not g.who.by_token:
        forms.check()
    acts = request.method in forms.UNSAFE and current_app.view_functions[request.endpoint] not in _looks
    if g.who.role == "auditor" and acts:
        raise NotAllowed("An auditor may look at everything and change nothing. Nothing was changed.")
    return None


def is_administrator() -> bool:
    """Whether an administrator asks, or their token."""
    who: Who | None = g.get("who")
    return who is not None and who.role == "administrator"


def administrators_only() -> None:
    """Before every request of a blueprint that is theirs alone. Raises NotAllowed."""
    if not is_administrator():
        raise NotAllowed("Only an administrator may see and change this. Nothing was changed.")


def actor() -> Actor:
    """Who acts in this request. Raises NotSignedIn when nobody does."""
    who: Who | None = g.get("who")
    if who is None:
        raise NotSignedIn("Sign in first. Nothing was changed.")
    return Actor(who.name, "api" if is_api() else "page", address())


def signed_in() -> Who | None:
    """Whom this browser's session signs in."""
    cookie = request.cookies.get(forms.session_cookie())
    if not cookie:
        return None
    with pool().connection() as conn:
        found = sessions.find(conn, cookie)
    return Who(found.name, found.role) if found else None


def access_check() -> Callable[[Connection], bool]:
    """Return a function that says whether the sign-in of this request is still valid.

    It needs no request, so an answer that goes on for minutes can call it until its end.
    """
    if _has_token():
        token = _bearer_token()
        return lambda conn: tokens.find(conn, token) is not None
    cookie = request.cookies.get(forms.session_cookie(), "")
    return lambda conn: sessions.find(conn, cookie) is not None


def is_api() -> bool:
    """Whether this request is a machine's: it wants JSON, whatever happens."""
    return request.path.startswith("/api/") or request.path == "/api"


def address() -> str | None:
    """From where the request comes, behind the proxies that are trusted; None when nobody can tell."""
    try:
        found = ipaddress.ip_address((request.remote_addr or "").partition("%")[0])
    except ValueError:
        return None
    return str(getattr(found, "ipv4_mapped", None) or found)


def local(next_: str | None) -> str:
    """Where to go after a sign-in: a path of ours as given, home for everything else."""
    path = (next_ or "").partition("?")[0]
    ours = path.startswith("/") and not path.startswith(("//", "/sign-in", "/sign-out"))
    sane = len(next_ or "") <= LONGEST_NEXT and (next_ or "").isprintable() and "\\" not in path
    return next_ if next_ and ours and sane else HOME


def _has_token() -> bool:
    return is_api() and "Authorization" in request.headers


def _bearer_token() -> str:
    scheme, _, token = request.headers["Authorization"].partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _by_token() -> Who:
    if token := _bearer_token():
        with pool().connection() as conn:
            found = tokens.find(conn, token)
        if found:
            # No user's name has a colon, so that the record tells machines from people.
            return Who(f"token:{found.name}", found.role, by_token=True)
    raise NotSignedIn("This token is not known here. Nothing was changed.", "bad_token")


def _refuse() -> Response:
    if is_api():
        raise NotSignedIn("Sign in, or send Authorization: Bearer and a token. Nothing was changed.")
    if request.headers.get("HX-Request") == "true":
        answer = Response(status=HTTPStatus.UNAUTHORIZED)
        answer.headers["HX-Redirect"] = _sign_in_from(_path_of(request.headers.get("HX-Current-URL", "")))
        return answer
    back = request.full_path.rstrip("?") if request.method in {"GET", "HEAD"} else HOME
    return current_app.make_response(redirect(_sign_in_from(back), code=HTTPStatus.SEE_OTHER))


def _path_of(url: str) -> str:
    try:
        return urlsplit(url)._replace(scheme="", netloc="").geturl()
    except ValueError:
        return HOME


def _sign_in_from(path: str) -> str:
    return url_for("sign_in.show", next=local(path))
