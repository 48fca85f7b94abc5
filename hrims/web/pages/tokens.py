"""The page of tokens: those of the user, or of all users for administrators, and the buttons."""

from http import HTTPStatus
from typing import Any

from flask import render_template, request

from hrims.access import tokens
from hrims.access.permissions import Permission
from hrims.db import Connection
from hrims.institutions import store as institution_store
from hrims.web.core import requests
from hrims.web.core.account_forms import TokenForm
from hrims.web.core.actions import perform, to
from hrims.web.core.app_state import pool
from hrims.web.core.guard import actor, can, scope


def index() -> str:
    """Show the page."""
    return render_template("tokens/index.html", **_context())


def create() -> Any:
    """Handle a button: add a token and show it. It is shown only once."""
    return perform(
        _add,
        # No redirect, unlike other buttons: the token cannot be read again for another page.
        then=lambda token: (_page(token=token), HTTPStatus.CREATED),
        page=lambda refused: _page(refused=refused, given=request.form),
    )


def _add(conn: Connection) -> str:
    fields = requests.read_form(TokenForm)
    return tokens.add_token(
        conn,
        actor(),
        fields.name,
        fields.scope,
        user=fields.user or None,
        institutions=fields.institutions,
        days=fields.days,
    )


def revoke(token_id: str) -> Any:
    """Handle a button: end a token."""
    return perform(
        lambda conn: tokens.revoke(conn, actor(), str(requests.id_of(token_id))),
        then=to(".index"),
        page=lambda refused: _page(refused=refused),
    )


def _page(**more: Any) -> str:
    return render_template("tokens/index.html", **(_context() | more))


def _context() -> dict[str, Any]:
    with pool().connection() as conn:
        owner = None if can(Permission.MANAGE_TOKENS) else actor().user_id
        return {
            "tokens": tokens.list_tokens(conn, owner),
            "institutions": institution_store.list_institutions(conn, scope()),
            "scopes": tokens.SCOPES,
            "can_choose_user": can(Permission.MANAGE_TOKENS),
            "default_scope": tokens.DEFAULT_SCOPE,
            "token": None,
            "refused": None,
            "given": {},
            "chosen": request.form.getlist("institution"),
        }
