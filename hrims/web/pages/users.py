"""The page of users: the list, one user with role and institutions, and the buttons."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, NamedTuple

from flask import render_template, request, url_for

from hrims.access import passwords, setup_links, throttle, two_step, users
from hrims.access.users import UserView
from hrims.access.users.store import is_external
from hrims.approvals import actions as approvals
from hrims.db import Connection
from hrims.errors import NotFound
from hrims.institutions import store as institution_store
from hrims.web.core import requests
from hrims.web.core.account_forms import RoleForm, ScopeForm, UserForm
from hrims.web.core.actions import perform, see_other
from hrims.web.core.app_state import pool, settings
from hrims.web.core.guard import actor, scope
from hrims.web.core.queries import SavedQuery


class Secret(NamedTuple):
    """What an administrator gives to a user: a password, or a link to choose one."""

    name: str
    password: str | None
    link: str | None = None


def index() -> str:
    """Show the page: every user, and a form for a new one."""
    return render_template("users/index.html", **_list_context())


def create() -> Any:
    """Handle a button: add a user, and show the set-up link or the first password. It is shown only once."""
    return perform(
        _add,
        # No redirect, unlike other buttons: the password cannot be read again for another page.
        then=lambda added: (_list_page(added=added), HTTPStatus.CREATED),
        page=lambda refused: _list_page(refused=refused, given=request.form),
    )


def _add(conn: Connection) -> Secret:
    fields = requests.read_form(UserForm)
    password = passwords.generate() if fields.first == "password" else None
    id_ = users.add_user(
        conn, actor(), fields.name, fields.role, password, fields.institutions, must_change=True
    )
    name = users.normalize_name(fields.name)
    return Secret(name, password) if password else _make_link(conn, name, id_)


def _make_link(conn: Connection, name: str, user_id: int) -> Secret:
    token = setup_links.create_setup_link(conn, actor(), user_id)
    # Only a trusted proxy tells the scheme of the browser. The link is a secret, so it is not sent in clear.
    scheme = "https" if settings().https_only else None
    return Secret(name, None, url_for("set_up.show", token=token, _external=True, _scheme=scheme))


def show(user_id: str, query: SavedQuery) -> str:
    """Show one user."""
    return render_template("users/user.html", **(_user_context(user_id) | {"saved": query.saved}))


def set_role(user_id: str) -> Any:
    """Handle a button: change the role. Another administrator must approve the role administrator."""

    def act(conn: Connection, user: UserView) -> approvals.Result:
        form = requests.read_form(RoleForm)
        # The browser has checked some before the role was chosen.
        given = None if form.role in users.ROLES_WITH_ALL else form.given
        return approvals.set_role(conn, actor(), user.name, form.role, given)

    return _perform(user_id, act)


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
    """Handle a button: set a new password, which must be changed, and show it once. The sessions end."""

    def reset(conn: Connection) -> Secret:
        user, password = _find(conn, user_id), passwords.generate()
        users.set_password(conn, actor(), user.name, password, must_change=True)
        return Secret(user.name, password)

    return _show_secret(user_id, reset)


def make_setup_link(user_id: str) -> Any:
    """Handle a button: make a set-up link and show it once. Earlier links end."""

    def make(conn: Connection) -> Secret:
        user = _find(conn, user_id)
        return _make_link(conn, user.name, user.id)

    return _show_secret(user_id, make)


def unlock(user_id: str) -> Any:
    """Handle a button: let the user sign in without the delay of failed sign-ins."""
    return _perform(user_id, lambda conn, user: throttle.unlock(conn, settings(), actor(), user.name))


def reset_two_step(user_id: str) -> Any:
    """Handle a button: turn two-step sign-in off for a user who has lost the app."""
    return _perform(user_id, lambda conn, user: two_step.reset_two_step(conn, actor(), user.name))


def _show_secret(user_id: str, make: Callable[[Connection], Secret]) -> Any:
    # No redirect, unlike other buttons: the secret cannot be read again for another page.
    return perform(
        make,
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
            "failures": throttle.count_failures(conn, settings(), found.name),
            "has_two_step": two_step.is_on(conn, found.id),
            "is_external": is_external(conn, found.id),
            "institutions": institution_store.list_institutions(conn, scope()),
            "chosen": [str(id_) for id_ in found.institution_ids or []],
            "roles": users.ROLES,
            "added": None,
            "refused": None,
            "saved": None,
        }
