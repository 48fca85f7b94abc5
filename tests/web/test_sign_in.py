"""Signing in and out: it works, then every refusal."""

import pytest
from flask import Flask

from hrims.access import keys
from hrims.access.throttle import PAIR
from hrims.audit import refusals
from hrims.config import load
from hrims.db import Connection
from hrims.web.core import app_state, guard
from tests.support.users import PASSWORD, add_user
from tests.web.browsers import Browser, new_app, new_browser

HOME = "/dashboard/admin/fetch-data"


@pytest.fixture
def asha(conn: Connection) -> int:
    """Provide the id of the officer asha."""
    return add_user(conn, "asha", "officer")


def records(conn: Connection, action: str) -> list[tuple[object, ...]]:
    """Actor, way, address and subject of the records of an action."""
    return conn.execute(
        "SELECT actor, via, host(address), subject FROM audit_log WHERE action = %s ORDER BY id", (action,)
    ).fetchall()


def sign_in(browser: Browser, name: str = "asha", password: str = PASSWORD, **form: str) -> object:
    """Fill the form in and send it; return the status."""
    return browser.press("/sign-in", name=name, password=password, **form).status_code


def is_in(browser: Browser) -> bool:
    """Whether the browser sees the page."""
    return browser.get(HOME).status_code == 200


def test_it_works(client: Browser, conn: Connection, asha: int) -> None:
    answer = client.press("/sign-in", name=" Asha ", password=PASSWORD)
    assert (answer.status_code, answer.location) == (303, HOME)
    assert is_in(client)
    assert "asha" in client.get(HOME).text
    assert records(conn, "session.sign_in") == [("asha", "page", "127.0.0.1", "user:asha")]


def test_the_page_asks_for_name_and_password(client: Browser) -> None:
    page = client.get("/sign-in").text
    for part in ('label for="name"', 'autocomplete="username"', 'autocomplete="current-password"'):
        assert part in page
    assert "Sign out" not in page


def test_it_leads_back_to_where_one_wanted_to_go(client: Browser, asha: int) -> None:
    there = client.get(f"{HOME}?institution=7&x=a%20b")
    assert there.status_code == 303
    page = client.get(there.location).text
    assert f'name="next" value="{HOME}?institution=7&amp;x=a%20b"' in page
    answer = client.press("/sign-in", name="asha", password=PASSWORD, next=f"{HOME}?institution=7&x=a%20b")
    assert answer.location == f"{HOME}?institution=7&x=a%20b"


@pytest.mark.parametrize(
    "hostile",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/%0a/../\n//evil.example",
        "javascript:alert(1)",
        "evil.example",
        "//[",
        "/sign-out",
        "/sign-in?next=/sign-in",
        "/" + "x" * 5000,
        "",
    ],
)
def test_it_never_leads_elsewhere(client: Browser, asha: int, hostile: str) -> None:
    answer = client.press("/sign-in", name="asha", password=PASSWORD, next=hostile)
    assert (answer.status_code, answer.location) == (303, HOME)
    assert client.get("/sign-in", query_string={"next": hostile}).location == HOME


def test_a_signed_in_user_is_redirected(officer: Browser) -> None:
    assert officer.get("/sign-in").location == HOME
    assert officer.get("/sign-in?next=/x").location == "/x"


def test_the_first_address_leads_to_the_page(officer: Browser, client: Browser) -> None:
    answer = officer.get("/")
    assert (answer.status_code, answer.location) == (303, HOME)
    assert client.get("/").location == "/sign-in?next=/"


def test_the_cookie_is_for_us_alone(client: Browser, conn: Connection, asha: int) -> None:
    answer = client.press("/sign-in", name="asha", password=PASSWORD)
    name = f"hrims_session_{keys.instance_id(conn)}"
    [cookie] = [line for line in answer.headers.getlist("Set-Cookie") if line.startswith(name)]
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie


def test_every_sign_in_has_a_new_session_and_ends_the_old_one(
    client: Browser, app: Flask, conn: Connection, asha: int
) -> None:
    name = f"hrims_session_{keys.instance_id(conn)}"
    form = client.csrf()
    sign_in(client)
    first = client.get_cookie(name)
    assert first
    thief = new_browser(app)
    thief.set_cookie(name, first.value)
    assert is_in(thief)
    answer = client.post("/sign-in", data={"csrf_token": client.csrf(), "name": "asha", "password": PASSWORD})
    assert answer.status_code == 303
    second = client.get_cookie(name)
    assert second
    assert second.value != first.value
    assert not is_in(thief)
    assert client.post("/sign-out", data={"csrf_token": form}).status_code == 400


def test_signing_out_ends_the_session(officer: Browser, app: Flask, conn: Connection) -> None:
    name = f"hrims_session_{keys.instance_id(conn)}"
    cookie = officer.get_cookie(name)
    assert cookie
    answer = officer.press("/sign-out")
    assert (answer.status_code, answer.location) == (303, "/sign-in")
    assert officer.get_cookie(name) is None
    officer.set_cookie(name, cookie.value)
    assert not is_in(officer)
    assert records(conn, "session.sign_out") == [("asha", "page", "127.0.0.1", "user:asha")]


def test_signing_out_twice_does_no_harm(client: Browser, conn: Connection) -> None:
    assert client.press("/sign-out").status_code == 303
    assert records(conn, "session.sign_out") == []


@pytest.mark.parametrize(
    ("name", "password"), [("asha", "wrong password"), ("unknown", PASSWORD), ("asha", PASSWORD + " ")]
)
def test_a_wrong_name_or_password_is_refused_in_the_same_words(
    client: Browser, conn: Connection, asha: int, name: str, password: str
) -> None:
    answer = client.press("/sign-in", name=name, password=password)
    assert answer.status_code == 401
    assert "This name and password do not belong together." in answer.text
    assert f'value="{name}"' in answer.text
    assert password not in answer.text
    assert not is_in(client)
    [(*who, subject)] = records(conn, "session.sign_in_failed")
    assert who == ["(not signed in)", "page", "127.0.0.1"]
    assert subject == "user:asha" if name == "asha" else str(subject).startswith("unknown:")


def test_a_password_typed_as_the_name_is_kept_nowhere(client: Browser, conn: Connection) -> None:
    assert sign_in(client, name="My Secret, 1!", password="x") == 401
    stored = conn.execute(
        "SELECT (SELECT string_agg(a::text, '') FROM audit_log a),"
        " (SELECT string_agg(f::text, '') FROM failed_sign_ins f)"
    ).fetchone()
    assert stored
    assert "secret" not in "".join(stored).lower()
    assert "unknown:" in stored[0]


@pytest.mark.parametrize(
    "form", [{}, {"name": "asha"}, {"password": PASSWORD}, {"name": " ", "password": "x"}]
)
def test_an_empty_form_is_refused(client: Browser, conn: Connection, form: dict[str, str]) -> None:
    answer = client.press("/sign-in", **form)
    assert answer.status_code == 400
    assert "Enter your name and your password." in answer.text
    assert conn.execute("SELECT count(*) FROM failed_sign_ins").fetchone() == (0,)


@pytest.mark.parametrize("name", ["é", "x" * 10000, "'; DROP TABLE users; --"])
def test_an_odd_name_is_refused(client: Browser, name: str) -> None:
    assert sign_in(client, name=name) == 401


@pytest.mark.parametrize("name", ["\0", "a\0b"])
def test_a_name_with_what_no_text_has_is_refused(client: Browser, name: str) -> None:
    assert sign_in(client, name=name) == 400


def test_a_disabled_user_is_refused(client: Browser, conn: Connection, asha: int) -> None:
    conn.execute("UPDATE users SET disabled_at = now() WHERE name = 'asha'")
    assert sign_in(client) == 401


def test_a_right_password_is_refused_after_too_many_wrong_ones(
    client: Browser, conn: Connection, asha: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "LIMITER", refusals.RefusalLimiter())
    for _ in range(PAIR.free):
        assert sign_in(client, password="wrong password") == 401
    answer = client.press("/sign-in", name="ASHA", password=PASSWORD)
    assert answer.status_code == 429
    assert "Too many sign-ins failed. Try again in" in answer.text
    assert 1 <= int(answer.headers["Retry-After"]) <= PAIR.first
    assert not is_in(client)
    assert records(conn, "session.throttled") == [("(not signed in)", "page", "127.0.0.1", "user:asha")]


def test_a_form_without_its_token_is_refused(client: Browser, conn: Connection, asha: int) -> None:
    answer = client.post("/sign-in", data={"name": "asha", "password": PASSWORD})
    assert answer.status_code == 400
    assert "Reload the page" in answer.text
    assert records(conn, "session.sign_in") == []


def test_a_form_with_the_token_of_another_browser_is_refused(client: Browser, app: Flask, asha: int) -> None:
    form = {"name": "asha", "password": PASSWORD, "csrf_token": new_browser(app).csrf()}
    client.csrf()
    assert client.post("/sign-in", data=form).status_code == 400


def test_a_sign_out_needs_the_form_token(officer: Browser) -> None:
    assert officer.post("/sign-out").status_code == 400
    assert officer.get("/sign-out").status_code == 405
    assert is_in(officer)


def test_the_sign_in_ends_after_its_hours(officer: Browser, conn: Connection) -> None:
    conn.execute("UPDATE sessions SET expires_at = now()")
    assert officer.get(HOME).location == f"/sign-in?next={HOME}"


def test_the_limits_are_settings(environment: dict[str, str], conn: Connection, asha: int) -> None:
    made = new_app(load({**environment, "HRIMS_SESSION_HOURS": "2", "HRIMS_SESSION_IDLE_MINUTES": "5"}))
    sign_in(new_browser(made))
    app_state.state_of(made).close()
    row = conn.execute(
        "SELECT expires_at - created_at = interval '2 hours', idle_limit = interval '5 minutes' FROM sessions"
    ).fetchone()
    assert row == (True, True)


def test_only_our_own_paths_lead_on() -> None:
    assert guard.local_path("/dashboard/x?y=1#z") == "/dashboard/x?y=1#z"
