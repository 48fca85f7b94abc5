"""The sign-in with an OpenID provider, which runs in a process of its own: it works, then every refusal."""

import socket
from typing import Any

import pytest
from flask import Flask

from hrims.access import setup_links, users
from hrims.access.actor import Actor
from hrims.config import load
from hrims.db import Connection
from hrims.errors import Conflict
from tests.support.served import free_port
from tests.support.users import PASSWORD, add_user
from tests.web.browsers import Browser, new_app, new_browser
from tests.web.openid.provider import ACCOUNT, ASHA, HOME, Provider, records


def test_it_works(client: Browser, conn: Connection, provider: Provider, health: int) -> None:
    assert "Sign in with Zanzibar ID" in client.get("/sign-in").text
    answer = provider.sign_in(client, "/sign-in/openid?next=/dashboard/admin/people")
    assert (answer.status_code, answer.location) == (303, "/dashboard/admin/people")
    assert "asha.makame" in client.get(HOME).text
    user = users.find(conn, "asha.makame")
    assert user
    assert (user.role, user.password_hash) == ("officer", None)
    row = conn.execute("SELECT issuer, subject FROM openid_identities").fetchone()
    assert row == (provider.url, ASHA["sub"])
    assert institutions_of(conn) == [health]
    name = "asha.makame"
    assert records(conn) == [
        (name, "user.add", f"user:{name}", {"by": "openid", "role": "officer"}),
        (
            name,
            "user.set_institutions",
            f"user:{name}",
            {"by": "openid", "before": [], "after": [health]},
        ),
        (name, "session.sign_in", f"user:{name}", {"by": "openid"}),
    ]


def institutions_of(conn: Connection, name: str = "asha.makame") -> object:
    """Return the institutions of a user; None for all."""
    row = conn.execute("SELECT scope_of(id) FROM users WHERE name = %s", (name,)).fetchone()
    assert row
    return row[0]


def role_of(conn: Connection, name: str = "asha.makame") -> str | None:
    """Return the role of a user; None if there is none."""
    user = users.find(conn, name)
    return user.role if user else None


def test_a_user_is_updated_at_every_sign_in(
    app: Flask, conn: Connection, provider: Provider, health: int
) -> None:
    provider.sign_in(new_browser(app))
    changed = ASHA | {"preferred_username": "asha.said", "roles": ["hr-admins", "hr"], "votes": "001"}
    provider.control(user=changed)
    assert provider.sign_in(new_browser(app)).location == HOME
    assert (role_of(conn), institutions_of(conn)) == ("administrator", None)
    assert role_of(conn, "asha.said") is None
    for votes, institutions in ((None, []), (["001", "unknown"], [health]), ([1], [])):
        provider.control(user=ASHA | {"votes": votes})
        assert provider.sign_in(new_browser(app)).location == HOME
        assert (role_of(conn), institutions_of(conn)) == ("officer", institutions)
    [role, *_] = [details for _, action, _, details in records(conn) if action == "user.set_role"]
    assert role == {"by": "openid", "before": "officer", "after": "administrator"}


def test_a_user_of_the_provider_has_no_local_password(
    client: Browser, conn: Connection, provider: Provider
) -> None:
    provider.sign_in(client)
    page = client.get(ACCOUNT).text
    assert "You sign in with Zanzibar ID." in page
    assert "Change password" not in page
    client.press("/sign-out")
    for password in (PASSWORD, "None"):
        assert client.press("/sign-in", name="asha.makame", password=password).status_code == 401
    with pytest.raises(Conflict, match="has no password here"):
        users.set_password(conn, Actor("root", "command"), "asha.makame", PASSWORD)
    user = users.find(conn, "asha.makame")
    assert user
    with pytest.raises(Conflict, match="has no password here"):
        setup_links.create_setup_link(conn, Actor("root", "command"), user.id)


def test_a_local_user_of_the_same_name_is_not_taken_over(
    client: Browser, conn: Connection, provider: Provider
) -> None:
    add_user(conn, "asha.makame", "administrator")
    answer = provider.sign_in(client)
    assert answer.status_code == 401
    assert "There is a local user asha.makame already" in answer.text
    assert client.get(HOME).status_code == 303
    assert conn.execute("SELECT count(*) FROM openid_identities").fetchone() == (0,)


def test_a_disabled_user_is_refused(app: Flask, conn: Connection, provider: Provider) -> None:
    provider.sign_in(new_browser(app))
    conn.execute("UPDATE users SET disabled_at = now() WHERE name = 'asha.makame'")
    answer = provider.sign_in(new_browser(app))
    assert answer.status_code == 401
    assert "The user asha.makame is disabled here." in answer.text


def test_the_last_administrator_keeps_the_role(app: Flask, conn: Connection, provider: Provider) -> None:
    provider.control(user=ASHA | {"roles": "hr-admins"})
    provider.sign_in(new_browser(app))
    conn.execute("UPDATE users SET disabled_at = now() WHERE name = 'binti'")
    provider.control(user=ASHA)
    answer = provider.sign_in(new_browser(app))
    assert answer.status_code == 401
    assert "you are the last one" in answer.text


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"roles": ["staff"]}, "has no role in HRIMS Sync"),
        ({"roles": {"hr": 1}}, "has no role in HRIMS Sync"),
        ({"roles": None}, "has no role in HRIMS Sync"),
        ({"preferred_username": "Asha Makame"}, "has no user name that can be used here"),
        ({"preferred_username": None}, "has no user name that can be used here"),
    ],
)
def test_claims_that_map_to_no_user_are_refused_in_words(
    client: Browser, conn: Connection, provider: Provider, claims: dict[str, Any], words: str
) -> None:
    provider.control(user=ASHA | claims)
    answer = provider.sign_in(client)
    assert answer.status_code == 401
    assert words in answer.text
    assert conn.execute("SELECT count(*) FROM openid_identities").fetchone() == (0,)
    [(actor, action, subject, _)] = records(conn)
    assert (actor, action, subject) == ("(not signed in)", "session.sign_in_failed", "openid")


@pytest.mark.parametrize(
    ("fault", "status", "reason"),
    [
        ("denied", 401, "error access_denied"),
        ("iss", 401, "InvalidClaimError"),
        ("aud", 401, "InvalidClaimError"),
        ("expired", 401, "ExpiredTokenError"),
        ("nonce", 401, "InvalidClaimError"),
        ("at_hash", 401, "InvalidClaimError"),
        ("key", 401, "BadSignatureError"),
        ("HS256", 401, "UnsupportedAlgorithmError"),
        ("none", 401, "UnsupportedAlgorithmError"),
        ("sub", 401, "no subject"),
        ("userinfo", 401, "userinfo of another user"),
        ("status", 503, "status 500"),
        ("garbage", 503, "no JSON"),
    ],
)
def test_a_provider_with_a_fault_is_refused_in_words(
    client: Browser, conn: Connection, provider: Provider, fault: str, status: int, reason: str
) -> None:
    client.get("/sign-in/openid")  # reads the metadata
    if fault in {"status", "garbage"}:
        path = provider.answer(client)
        provider.control(fault=fault)
        answer = client.get(path)
    else:
        provider.control(fault=fault)
        answer = provider.sign_in(client)
    assert answer.status_code == status
    assert "Nothing was changed." in answer.text
    assert client.get(HOME).status_code == 303
    [(_, action, _, details)] = records(conn)
    assert action == "session.sign_in_failed"
    assert isinstance(details, dict)
    assert details["reason"] == reason


@pytest.mark.own_app
@pytest.mark.parametrize("fault", ["issuer of metadata", "status", "garbage"])
def test_metadata_that_cannot_be_used_is_told_on_the_page(
    client: Browser, provider: Provider, fault: str
) -> None:
    provider.control(fault=fault)
    answer = client.get("/sign-in/openid")
    assert answer.status_code == 503
    assert "The sign-in service does not answer as it should." in answer.text


def test_a_provider_that_is_down_is_told_on_the_page(environment: dict[str, str], conn: Connection) -> None:
    app = new_app(load({**environment, "HRIMS_OIDC_ISSUER": f"http://127.0.0.1:{free_port()}"}))
    answer = new_browser(app).get("/sign-in/openid")
    assert answer.status_code == 503
    assert "Try again in a moment." in answer.text


def test_a_provider_that_hangs_takes_few_threads(
    environment: dict[str, str], conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        issuer = f"http://127.0.0.1:{silent.getsockname()[1]}"
        app = new_app(load({**environment, "HRIMS_OIDC_ISSUER": issuer}))
        monkeypatch.setattr("hrims.access.openid.transport.TIMEOUT", 0.2)
        statuses = [new_browser(app).get("/sign-in/openid").status_code for _ in range(20)]
        assert statuses == [503] * 20
        silent.settimeout(0)
        silent.accept()[0].close()
        with pytest.raises(BlockingIOError):
            silent.accept()


def test_a_new_key_of_the_provider_is_read(
    app: Flask, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert provider.sign_in(new_browser(app)).status_code == 303
    monkeypatch.setattr("hrims.access.openid.provider.NEW_KEY_SECONDS", 0.0)
    provider.control(rotate=True)
    assert provider.sign_in(new_browser(app)).status_code == 303


@pytest.mark.parametrize("hostile", ["https://evil.example/", "//evil.example", "/sign-in/openid"])
def test_it_never_leads_elsewhere(client: Browser, provider: Provider, hostile: str) -> None:
    assert provider.sign_in(client, f"/sign-in/openid?next={hostile}").location == HOME
