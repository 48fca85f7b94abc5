"""/dashboard/admin/tokens: who ends which tokens."""

import pytest
from flask import Flask

from hrims.access import tokens, users
from hrims.db import Connection
from tests.database.runs import institution
from tests.support.users import BINTI, actor_of, add_user
from tests.web.browsers import new_browser, signed_in

PAGE = "/dashboard/admin/tokens"


@pytest.mark.parametrize("role", ["viewer", "auditor"])
def test_a_user_who_lost_a_role_ends_own_tokens_from_before(app: Flask, conn: Connection, role: str) -> None:
    secret = tokens.add_token(conn, actor_of(conn, "rashid", "officer"), "nightly")
    machine = tokens.find_token(conn, secret)
    assert machine
    users.set_role(conn, BINTI, "rashid", role)
    browser = signed_in(new_browser(app), conn, "rashid", role)
    page = browser.get(PAGE).text
    assert "Revoke<span" in page
    assert "Add token" not in page
    answer = browser.press(f"{PAGE}/{machine.token_id}/revoke")
    assert (answer.status_code, answer.location) == (303, PAGE)
    assert tokens.find_token(conn, secret) is None


def test_a_token_of_another_user_is_unknown(app: Flask, conn: Connection) -> None:
    secret = tokens.add_token(conn, actor_of(conn, "asha", "officer"), "nightly")
    machine = tokens.find_token(conn, secret)
    assert machine
    browser = signed_in(new_browser(app), conn, "rashid", "viewer")
    assert browser.press(f"{PAGE}/{machine.token_id}/revoke").status_code == 404
    assert tokens.find_token(conn, secret) == machine


def test_a_name_that_is_taken_is_solved_on_the_page(app: Flask, conn: Connection) -> None:
    tokens.add_token(conn, actor_of(conn, "asha", "officer"), "nightly")
    tokens.add_token(conn, actor_of(conn, "rashid", "officer"), "weekly")
    browser = signed_in(new_browser(app), conn, "rashid", "officer")
    # Another user's token is not described.
    foreign = browser.press(PAGE, name="nightly", all_="yes")
    assert (foreign.status_code, "a token of this name already. No token" in foreign.text) == (409, True)
    assert "asha" not in foreign.text
    own = browser.press(PAGE, name="weekly", all_="yes")
    assert "Give another name, or revoke that token first." in own.text
    assert "hrims token" not in foreign.text + own.text


@pytest.mark.parametrize("user", ["unheard", "neema"])
def test_a_refused_form_keeps_what_was_typed(app: Flask, conn: Connection, health: int, user: str) -> None:
    other = institution(conn, "WIZARA B", "002", "200000000")
    add_user(conn, "neema", "officer", [other])
    browser = signed_in(new_browser(app), conn, "binti", "administrator")
    form = {"name": "payroll", "user": user, "days": "90", "all_": "no", "institution": str(health)}
    answer = browser.press(PAGE, **form)
    assert answer.status_code == 422
    says = "The user does not have WIZARA YA AFYA." if user == "neema" else "no such user who may sign in"
    assert says in answer.text
    assert all(f'value="{form[field]}"' in answer.text for field in ("name", "user", "days"))


def test_an_institution_outside_the_scope_is_not_named(app: Flask, conn: Connection, health: int) -> None:
    other = institution(conn, "WIZARA B", "002", "200000000")
    browser = signed_in(new_browser(app), conn, "neema", "officer", [other])
    answer = browser.press(PAGE, name="payroll", all_="no", institution=str(health))
    assert (answer.status_code, "The user does not have one of these institutions." in answer.text) == (
        422,
        True,
    )
    assert "AFYA" not in answer.text
