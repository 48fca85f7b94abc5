"""The sign-in page and the sign-out button. Input: name and password. Output: a session cookie."""

import time
from http import HTTPStatus
from typing import Any

from flask import Response, current_app, redirect, render_template, request, session

from hrims.access import sign_in as access
from hrims.errors import InputError
from hrims.web.core import cookies, guard, requests
from hrims.web.core.actions import refuse
from hrims.web.core.app_state import pool, settings
from hrims.web.core.queries import SignInQuery
from hrims.web.core.sign_in_forms import ChallengeForm, CodeForm, NextForm, SignInForm


def redirect_home() -> Any:
    """Redirect from the root to the home page."""
    return redirect(guard.HOME, code=HTTPStatus.SEE_OTHER)


def show(query: SignInQuery) -> Any:
    """Show the page. Redirect a browser that is already signed in."""
    if guard.signed_in():
        return redirect(query.next, code=HTTPStatus.SEE_OTHER)
    return _page(next_=query.next, is_ready=query.ready == "yes")


def sign_in() -> Any:
    """Handle the button: start a session and redirect, or show why it was refused."""
    try:
        fields = requests.read_form(SignInForm)
        result = access.sign_in(pool(), fields.name, fields.password, cookies.visit())
    except InputError as refused:
        return _show_again(refused)
    if isinstance(result, access.CodeNeeded):
        return _code_page(result.challenge)
    return start_session(result, requests.read_form(NextForm).next)


def enter_code() -> Any:
    """Handle the button of the second step: start a session and redirect, or show why it was refused."""
    challenge = requests.read_form(ChallengeForm).challenge
    try:
        code = requests.read_form(CodeForm).code
        result = access.enter_code(pool(), challenge, code, cookies.visit(), time.time())
    except InputError as refused:
        if refused.code == "challenge_expired":
            return _show_again(refused)
        return refuse(_code_page(challenge, str(refused)), refused)
    return start_session(result, requests.read_form(NextForm).next)


def sign_out() -> Any:
    """Handle the button: end the session.

    It is public, because a browser without a session is already signed out.
    """
    if cookies.session_token():
        with pool().connection() as conn:
            access.sign_out(conn, cookies.visit())
    session.clear()
    response = _redirect("/sign-in")
    cookies.delete_session(response)
    return response


def start_session(result: access.SignIn, next_: str) -> Response:
    """Set the cookies of a user who has signed in, and redirect."""
    # Drop the browser's session from before the sign-in, including its form token.
    session.clear()
    response = _redirect(next_)
    cookies.set_signed_in(response, result)
    return response


def _redirect(path: str) -> Response:
    return current_app.make_response(redirect(path, code=HTTPStatus.SEE_OTHER))


def _show_again(refused: InputError) -> Response:
    return show_refusal(refused, requests.read_form(NextForm).next, request.form.get("name", ""))


def _code_page(challenge: str, refused: str | None = None) -> str:
    next_ = requests.read_form(NextForm).next
    return render_template("sign_in/code.html", challenge=challenge, next=next_, refused=refused)


def show_refusal(refused: InputError, next_: str, name: str = "") -> Response:
    """Show the page with the reason why a sign-in failed."""
    return refuse(_page(next_=next_, name=name, refused=str(refused)), refused)


def _page(*, next_: str, name: str = "", refused: str | None = None, is_ready: bool = False) -> str:
    return render_template(
        "sign_in/index.html",
        next=next_,
        name=name[:64],
        refused=refused,
        ready=is_ready,
        provider=settings().oidc_name if settings().oidc_issuer else None,
    )
