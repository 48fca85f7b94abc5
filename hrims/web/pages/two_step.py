"""The pages of two-step sign-in: set-up with a QR code, recovery codes, and the buttons of “My account”."""

import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import urlsplit

import segno
from flask import current_app, render_template, request

from hrims.access import two_step
from hrims.db import Connection
from hrims.errors import Conflict, InvalidInput
from hrims.web.core import cookies, requests
from hrims.web.core.actions import see_other
from hrims.web.core.app_state import pool, settings
from hrims.web.core.guard import actor
from hrims.web.core.sign_in_checks import current, require_recent_sign_in
from hrims.web.core.sign_in_forms import CodeForm

T = TypeVar("T")


def start() -> Any:
    """Handle the button: create a secret, which has no effect yet, and show it."""
    return _act(
        lambda conn: two_step.start(conn, settings(), current()), lambda _: see_other("two_step.show")
    )


def show() -> Any:
    """Show the QR code of the secret, and the form for the first code."""
    require_recent_sign_in()
    try:
        return _page()
    except Conflict:
        return see_other("account.index")


def confirm() -> Any:
    """Handle the button: turn two-step sign-in on and show the recovery codes. They are shown only once."""
    require_recent_sign_in()
    try:
        code = requests.read_form(CodeForm).code
        with pool().connection() as conn:
            turned_on = two_step.confirm(conn, settings(), actor(), current(), code, time.time())
    except InvalidInput as refused:
        return _page(str(refused)), refused.status
    except Conflict:
        return see_other("account.index")
    response = current_app.make_response(_codes_page(turned_on.recovery_codes))
    cookies.set_session(response, turned_on.token)
    return response


def renew_codes() -> Any:
    """Handle the button: replace the recovery codes and show the new ones."""
    return _act(lambda conn: two_step.renew_recovery_codes(conn, actor(), current()), _codes_page)


def turn_off() -> Any:
    """Handle the button: turn two-step sign-in off."""
    return _act(
        lambda conn: two_step.turn_off(conn, actor(), current()),
        _show_turned_off,
    )


def _show_turned_off(token: str) -> Any:
    response = see_other("account.index", done="two-step-off")
    cookies.set_session(response, token)
    return response


def _act(action: Callable[[Connection], T], then: Callable[[T], Any]) -> Any:
    """Perform an action of the account page, which shows the state if the action does not fit it."""
    require_recent_sign_in()
    try:
        with pool().connection() as conn:
            result = action(conn)
    except Conflict:
        return see_other("account.index")
    return then(result)


def _page(refused: str | None = None) -> str:
    host = urlsplit(f"//{request.host}").hostname or ""
    with pool().connection() as conn:
        enrolment = two_step.find_enrolment(conn, settings(), current(), host)
    picture = segno.make(enrolment.uri, error="m").svg_inline(
        scale=5, border=3, dark="#000", light="#fff", svgclass="qr", omitsize=True
    )
    return render_template(
        "two_step/index.html", picture=picture, secret=_in_groups(enrolment.secret), refused=refused
    )


def _codes_page(codes: list[str]) -> Any:
    # No redirect, unlike other buttons: the codes cannot be read again for another page.
    return render_template("two_step/codes.html", codes=codes), HTTPStatus.OK


def _in_groups(secret: str) -> str:
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
