"""/dashboard/admin/tokens: who ends which tokens."""

import pytest
from flask import Flask

from hrims.access import tokens, users
from hrims.db import Connection
from tests.support.users import BINTI, actor_of
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
