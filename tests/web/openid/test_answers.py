"""The answers of an OpenID provider: whose they are, how often they count, and what they must carry."""

from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from hrims.audit.refusals import PER_ADDRESS
from hrims.db import Connection
from tests.web.browsers import Browser, new_browser
from tests.web.openid.provider import Provider


def test_an_answer_belongs_to_the_browser_that_began(app: Flask, provider: Provider) -> None:
    hers, thief = new_browser(app), new_browser(app)
    path = provider.answer(hers)
    for browser in (thief, new_browser(app)):
        answer = browser.get(path)
        assert answer.status_code == 401
        assert "was begun in another browser, or too long ago" in answer.text
    provider.answer(thief)
    assert thief.get(path).status_code == 401


def test_an_answer_works_once_and_not_for_ever(
    client: Browser, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = provider.answer(client)
    assert client.get(path).status_code == 303
    client.press("/sign-out")
    assert client.get(path).status_code == 401
    monkeypatch.setattr("hrims.access.openid.actions.MAX_SECONDS", 0.0)
    assert provider.sign_in(client).status_code == 401


def test_wrong_answers_do_not_fill_the_trail(client: Browser, conn: Connection, provider: Provider) -> None:
    for _ in range(PER_ADDRESS + 5):
        assert client.get("/sign-in/openid/callback?state=x&code=x").status_code == 401
    counts = conn.execute("SELECT action, count(*) FROM audit_log WHERE id > 0 GROUP BY action").fetchall()
    assert ("session.sign_in_failed", PER_ADDRESS) in counts
    assert "request.refused" not in dict(counts)


@pytest.mark.parametrize("query", ["", "?code=x", "?state=x&code=x", "?error=%ed%b2%80&state=%ff"])
def test_an_answer_that_was_made_up_is_refused(client: Browser, provider: Provider, query: str) -> None:
    assert client.get(f"/sign-in/openid/callback{query}").status_code == 401
    client.get("/sign-in/openid")
    assert client.get(f"/sign-in/openid/callback{query}").status_code == 401


def test_what_goes_to_the_provider_protects_the_sign_in(client: Browser, provider: Provider) -> None:
    first, second = (parse_qs(urlsplit(client.get("/sign-in/openid").location).query) for _ in range(2))
    assert first["code_challenge_method"] == ["S256"]
    assert first["redirect_uri"] == ["http://localhost/sign-in/openid/callback"]
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name][0]) >= 43
        assert first[name] != second[name]
