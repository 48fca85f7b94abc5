"""The page that asks a signed-in user for the password again. Output: the page that the user wanted."""

import time
from typing import Any

from flask import redirect, render_template

from hrims.access import account, two_step
from hrims.access.users.store import is_external
from hrims.errors import InputError
from hrims.web.core import cookies, requests
from hrims.web.core.actions import refuse
from hrims.web.core.app_state import pool, settings
from hrims.web.core.guard import actor
from hrims.web.core.queries import ConfirmQuery
from hrims.web.core.sign_in_checks import current
from hrims.web.core.sign_in_forms import ConfirmForm, NextForm


def show(query: ConfirmQuery) -> str:
    """Show the page. With ``form``, it tells that a form must be sent again."""
    return _page(query.next, is_form=query.form == "yes")


def confirm() -> Any:
    """Handle the button: check the password and return to the page that the user wanted."""
    try:
        fields = requests.read_form(ConfirmForm)
        account.confirm_session(pool(), actor(), current(), cookies.visit(), fields.secret, time.time())
    except InputError as refused:
        return refuse(_page(requests.read_form(NextForm).next, refused=str(refused)), refused)
    return redirect(fields.next, code=303)


def _page(next_: str, *, is_form: bool = False, refused: str | None = None) -> str:
    with pool().connection() as conn:
        has_code = two_step.is_on(conn, current().user_id)
        has_provider = is_external(conn, current().user_id)
    return render_template(
        "confirm/index.html",
        next=next_,
        is_form=is_form,
        has_code=has_code,
        provider=settings().oidc_name if has_provider else None,
        refused=refused,
    )
