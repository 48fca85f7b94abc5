"""Checks of the sign-in of a user, after the guard has let the request in.

Input: the session of the request. Output: nothing, or a redirect to what the user must do first.
"""

from http import HTTPStatus
from typing import NoReturn
from urllib.parse import urlsplit

from flask import Response, abort, current_app, g, redirect, request, url_for
from werkzeug.exceptions import HTTPException

from hrims.access.sessions import SignedIn
from hrims.approvals import actions as approvals
from hrims.errors import NotAllowed, NotSignedIn
from hrims.web.core import guard, permissions, requests
from hrims.web.core.app_state import pool

RECENT_MINUTES = 10
"""Minutes for which a typed password or code counts as recent."""

OPEN_BEFORE_CHANGE = frozenset({"account.show_password", "account.change_password"})
"""The endpoints, beside the public ones, that a user reaches who must change the password."""


def current() -> SignedIn:
    """Return the session of this request. Raises NotSignedIn if there is none, or if a token is used."""
    session: SignedIn | None = g.get("sign_in")
    if session is None:
        raise NotSignedIn("Sign in with a browser first. Nothing was changed.")
    return session


def must_change_password() -> bool:
    """Return whether the user of this request must change the password first."""
    session: SignedIn | None = g.get("sign_in")
    return session is not None and session.must_change_password


def check_password_change() -> None:
    """Send a user who must change the password to the page for it, whatever the request was."""
    endpoint = request.endpoint
    if not must_change_password() or endpoint is None or endpoint in OPEN_BEFORE_CHANGE:
        return
    if not permissions.is_public(current_app, endpoint):
        _require(
            "Change your password first, on the page “My account”. Nothing was changed.",
            "password_change_required",
            url_for("account.show_password"),
        )


def check_recent_sign_in() -> None:
    """Ask for the password again before endpoints whose permission needs it."""
    if request.endpoint and permissions.needs_recent_sign_in(current_app, request.endpoint):
        require_recent_sign_in()


def check_recent_sign_in_for_approval(approval_id: str) -> None:
    """Ask for the password again before a decision about an action that asks for it. Raises NotFound."""
    with pool().connection() as conn:
        permission = approvals.find_permission(conn, guard.actor(), requests.id_of(approval_id))
    if permission in permissions.NEEDS_RECENT:
        require_recent_sign_in()


def require_recent_sign_in() -> None:
    """Ask for the password or a code again unless one was typed within ``RECENT_MINUTES``.

    Afterwards the user returns to the page. A form that was sent is shown again, because its fields are not
    kept: call this also in the view that shows the form. Tokens have no user to ask.
    """
    session: SignedIn | None = g.get("sign_in")
    if session is None or session.confirmed_ago < RECENT_MINUTES * 60:
        return
    is_form = request.method not in {"GET", "HEAD"}
    _require(
        "Confirm that it is you first: open the page and enter your password. Nothing was changed.",
        "sign_in_not_recent",
        url_for("confirm.show", next=_page_to_show(), form="yes" if is_form else None),
    )


def _require(message: str, code: str, path: str) -> NoReturn:
    if guard.is_api():
        raise NotAllowed(message, code)
    if request.headers.get("HX-Request") == "true":
        response = Response(status=HTTPStatus.FORBIDDEN, headers={"HX-Redirect": path})
    else:
        response = current_app.make_response(redirect(path, code=HTTPStatus.SEE_OTHER))
    abort(response)


def _page_to_show() -> str:
    """Return the page to which the user returns: this one, or the one whose form was sent."""
    is_fragment = request.headers.get("HX-Request") == "true"
    if request.method in {"GET", "HEAD"} and not is_fragment:
        return guard.local_path(request.full_path.rstrip("?"))
    url = request.headers.get("HX-Current-URL" if is_fragment else "Referer", "")
    try:
        parts = urlsplit(url)
    except ValueError:
        return _nearest_page()
    path = parts._replace(scheme="", netloc="", fragment="").geturl()
    return path if parts.netloc == request.host and _is_page(parts.path) else _nearest_page()


def _nearest_page() -> str:
    """Return the path of this request without its last parts, as far as it is the path of a page."""
    path = request.path
    while path.count("/") > 1 and not _is_page(path):
        path = path.rpartition("/")[0]
    return path if _is_page(path) else guard.HOME


def _is_page(path: str) -> bool:
    adapter = current_app.create_url_adapter(request)
    try:
        return (
            adapter is not None and bool(adapter.match(path, method="GET")) and path == guard.local_path(path)
        )
    except HTTPException:
        return False
