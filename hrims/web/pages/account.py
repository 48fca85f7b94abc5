"""The page “My account”: the password and the sessions of the user, and their buttons."""

from typing import Any

from flask import render_template

from hrims.access import account, sessions, two_step
from hrims.access.users.store import is_external
from hrims.errors import InputError
from hrims.web.core import cookies, requests
from hrims.web.core.actions import perform, refuse, see_other
from hrims.web.core.app_state import pool, settings
from hrims.web.core.guard import HOME, actor
from hrims.web.core.queries import AccountQuery
from hrims.web.core.sign_in_checks import current, must_change_password, require_recent_sign_in
from hrims.web.core.sign_in_forms import PasswordForm


def index(query: AccountQuery) -> str:
    """Show the page."""
    return _page(done=query.done)


def show_password() -> str:
    """Show only the form that changes the password."""
    return _password_page()


def change_password() -> Any:
    """Handle the button: change the password, end the other sessions and renew this one."""
    was_required = must_change_password()
    try:
        fields = requests.read_form(PasswordForm)
        token = account.change_password(
            pool(), actor(), current(), cookies.visit(), fields.current, fields.password
        )
    except InputError as refused:
        return refuse(_password_page(str(refused)), refused)
    response = see_other("fetch_data.index") if was_required else see_other(".index", done="password")
    cookies.set_session(response, token)
    return response


def end_session(session_id: str) -> Any:
    """Handle a button: end one session of the user."""
    require_recent_sign_in()
    number = requests.id_of(session_id)
    return perform(
        lambda conn: sessions.end_one(conn, actor(), current(), number),
        then=lambda _: see_other(".index", done="session"),
        page=_page,
    )


def end_other_sessions() -> Any:
    """Handle the button: end every session of the user but this one."""
    require_recent_sign_in()
    return perform(
        lambda conn: sessions.end_others(conn, actor(), current()),
        then=lambda _: see_other(".index", done="sessions"),
        page=_page,
    )


def _page(refused: str | None = None, done: str | None = None) -> str:
    session = current()
    with pool().connection() as conn:
        has_provider = is_external(conn, session.user_id)
        return render_template(
            "account/index.html",
            sessions=sessions.list_sessions(conn, session.user_id),
            this=session.session_id,
            provider=settings().oidc_name if has_provider else None,
            two_step=two_step.read_status(conn, session.user_id),
            refused=refused,
            done=done,
        )


def _password_page(refused: str | None = None) -> str:
    return render_template("account/password.html", refused=refused, home=HOME)
