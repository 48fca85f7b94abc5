"""The page of a set-up link, on which a user chooses a password. Input: the token of the link."""

from typing import Any

from flask import current_app, render_template

from hrims.access import setup_links
from hrims.errors import InvalidInput
from hrims.web.core import cookies, requests
from hrims.web.core.actions import see_other
from hrims.web.core.app_state import pool
from hrims.web.core.sign_in_forms import NewPasswordForm


def show(token: str) -> Any:
    """Show the page. The link still works afterwards, because programs open the links of messages too."""
    return _page(token)


def set_password(token: str) -> Any:
    """Handle the button: set the password and show the sign-in page."""
    try:
        password = requests.read_form(NewPasswordForm).password
        with pool().connection() as conn:
            setup_links.use(conn, token, password, cookies.visit())
    except InvalidInput as refused:
        return _page(token, str(refused), refused.status)
    return see_other("sign_in.show", ready="yes")


def _page(token: str, refused: str | None = None, status: int = 200) -> Any:
    with pool().connection() as conn:
        name = setup_links.find_name(conn, token)
    page = render_template("set_up/index.html", name=name, refused=refused, token=token)
    response = current_app.make_response((page, status))
    # The token is in the URL, so the browser must not send the URL on. The origin is part of CSRF checks.
    response.headers["Referrer-Policy"] = "strict-origin"
    return response
