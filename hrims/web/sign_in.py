"""The sign-in page and the sign-out button: name and password come in, a cookie goes out."""

from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, current_app, redirect, render_template, request, session

from hrims.access import sign_in as access
from hrims.access.throttle import TooManyFailures
from hrims.errors import NotSignedIn
from hrims.web import forms, guard
from hrims.web.parts import pool, settings

blueprint = Blueprint("sign_in", __name__)


@blueprint.get("/")
def home() -> Any:
    """Where everybody begins."""
    return redirect(guard.HOME, code=HTTPStatus.SEE_OTHER)


@blueprint.get("/sign-in")
@guard.public
def show() -> Any:
    """The page; whoever is signed in already goes on at once."""
    if guard.signed_in():
        return redirect(guard.local(request.args.get("next")), code=HTTPStatus.SEE_OTHER)
    return _page(next_=request.args.get("next"))


@blueprint.post("/sign-in")
@guard.public
def sign_in() -> Any:
    """The button: begins a session and leads on, or says why not."""
    name, password = request.form.get("name", ""), request.form.get("password", "")
    if not name.strip() or not password:
        return _again("Give your name and your password.", HTTPStatus.BAD_REQUEST)
    try:
        token = access.sign_in(
            pool(),
            name,
            password,
            address=guard.address(),
            hours=settings().session_hours,
            before=request.cookies.get(forms.session_cookie()),
        )
    except NotSignedIn as refused:
        return _again(str(refused), refused.status)
    except TooManyFailures as refused:
        answer = _again(str(refused), refused.status)
        answer.headers["Retry-After"] = str(refused.retry_after)
        return answer
    return _with_cookie(token)


@blueprint.post("/sign-out")
@guard.public
def sign_out() -> Any:
    """The button: ends the session. Public, because whoever has none is signed out already."""
    cookie = forms.session_cookie()
    if token := request.cookies.get(cookie):
        with pool().connection() as conn:
            access.sign_out(conn, token, guard.address())
    session.clear()
    answer = _to("/sign-in")
    answer.delete_cookie(cookie, path="/", httponly=True, samesite="Lax", secure=settings().https_only)
    return answer


def _with_cookie(token: str) -> Response:
    # Whatever the browser brought from before the sign-in is dropped, its form token too.
    session.clear()
    answer = _to(guard.local(request.form.get("next")))
    answer.set_cookie(
        forms.session_cookie(), token, path="/", httponly=True, samesite="Lax", secure=settings().https_only
    )
    return answer


def _to(path: str) -> Response:
    return current_app.make_response(redirect(path, code=HTTPStatus.SEE_OTHER))


def _again(words: str, status: int) -> Response:
    page = _page(next_=request.form.get("next"), name=request.form.get("name", ""), refused=words)
    return current_app.make_response((page, status))


def _page(*, next_: str | None, name: str = "", refused: str | None = None) -> str:
    return render_template("sign_in/index.html", next=guard.local(next_), name=name[:64], refused=refused)
