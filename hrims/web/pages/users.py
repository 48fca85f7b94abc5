"""The page of users: the list, one user with role and institutions, and the buttons."""

from http import HTTPStatus
from typing import Any

from flask import render_template, request

from hrims.access import passwords, users
from hrims.access.users import UserView
from hrims.approvals import actions as approvals
from hrims.db import Connection
from hrims.errors import NotFound
from hrims.institutions import store as institution_store
from hrims.web.core import requests
from hrims.web.core.account_forms import RoleForm, ScopeForm, UserForm
from hrims.web.core.actions import perform, see_other
from hrims.web.core.app_state import pool
from hrims.web.core.guard import actor, scope
from hrims.web.core.queries import SavedQuery


def index() -> str:
    """Show the page: every user, and a form for a new one."""
    return render_template("users/index.html", **_list_context())


def create() -> Any:
    """Handle a button: add a user, and show the first password. It is shown only once."""
    return perform(
        _add,
        # No redirect, unlike other buttons: the password cannot be read again for another page.
        then=lambda added: (_list_page(added=added), HTTPStatus.CREATED),
        page=lambda refused: _list_page(refused=refused, given=request.form),
    )


def _add(conn: Connection) -> tuple[str, str]:
    fields, password = requests.read_form(UserForm), passwords.generate()
    users.add_user(conn, actor(), fields.name, fields.role, password, fields.institutions)
    return users.normalize_name(fields.name), password


def show(user_id: str, query: SavedQuery) -> str:
    """Show one user."""
    return render_template("users/user.html", **(_user_context(user_id) | {"saved": query.saved}))


def set_role(user_id: str) -> Any:
    """Handle a button: change the role. Another administrator must approve the role administrator."""
    return _perform(
        user_id,
        lambda conn, user: approvals.set_role(conn, actor(), user.name, requests.read_form(RoleForm).role),
    )


def set_institutions(user_id: str) -> Any:
    """Handle a button: change the institutions."""
    return _perform(
        user_id,
        lambda conn, user: users.set_institutions(
            conn, actor(), user.name, requests.read_form(ScopeForm).institutions
        ),
    )


def disable(user_id: str) -> Any:
    """Handle a button: disable the user. The user's sessions and tokens end."""
    return _perform(user_id, lambda conn, user: users.disable(conn, actor(), user.name))


def enable(user_id: str) -> Any:
    """Handle a button: enable the user again."""
    return _perform(user_id, lambda conn, user: users.enable(conn, actor(), user.name))


def reset_password(user_id: str) -> Any:
    """Handle a button: set a new password and show it once. The user's sessions end."""

    def reset(conn: Connection) -> tuple[str, str]:
        user, password = _find(conn, user_id), passwords.generate()
        users.set_password(conn, actor(), user.name, password)
        return user.name, password

    return perform(
        reset,
        then=lambda added: render_template("users/user.html", **(_user_context(user_id) | {"added": added})),
        page=lambda refused: _user_page(user_id, refused),
    )


def _perform(user_id: str, action: Any) -> Any:
    def act(conn: Connection) -> Any:
        return action(conn, _find(conn, user_id))

    def answer(result: Any) -> Any:
        if getattr(result, "waits", False):
            return see_other("approvals.index")
        return see_other(".show", user_id=user_id, saved="yes")

    return perform(act, then=answer, page=lambda refused: _user_page(user_id, refused))


def _find(conn: Connection, user_id: str) -> UserView:
    user = users.find_view(conn, requests.id_of(user_id))
    if user is None:
        raise NotFound("There is no user with this number.", "unknown_user")
    return user


def _list_page(**more: Any) -> str:
    return render_template("users/index.html", **(_list_context() | more))


def _list_context() -> dict[str, Any]:
    with pool().connection() as conn:
        return {
            "users": users.list_users(conn),
            "institutions": institution_store.list_institutions(conn, scope()),
            "roles": users.ROLES,
            "added": None,
            "refused": None,
            "given": {},
            "chosen": request.form.getlist("institution"),
        }


def _user_page(user_id: str, refused: str) -> str:
    return render_template("users/user.html", **(_user_context(user_id) | {"refused": refused}))


def _user_context(user_id: str) -> dict[str, Any]:
    with pool().connection() as conn:
        found = _find(conn, user_id)
        return {
            "shown": found,
            "institutions": institution_store.list_institutions(conn, scope()),
            "chosen": [str(id_) for id_ in found.institution_ids or []],
            "roles": users.ROLES,
            "added": None,
            "refused": None,
            "saved": None,
        }
