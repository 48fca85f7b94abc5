"""Users of an OpenID provider confirm there. Without a provider in the settings there is no such sign-in."""

import pytest

from hrims.config import load
from hrims.db import Connection
from hrims.errors import ConfigError
from hrims.web.core.sign_in_checks import RECENT_MINUTES
from tests.web.browsers import Browser, new_app
from tests.web.openid.provider import ACCOUNT, ASHA, Provider, records, settings_of


class TestConfirmation:
    """A user of the provider confirms there."""

    @pytest.fixture
    def late(self, client: Browser, conn: Connection, provider: Provider) -> Browser:
        """Provide a browser in which asha signed in long ago."""
        provider.sign_in(client)
        conn.execute(
            "UPDATE sessions SET confirmed_at = now() - make_interval(mins => %s)", (RECENT_MINUTES,)
        )
        return client

    START = f"/sign-in/openid/confirm?next={ACCOUNT}"

    def is_confirmed(self, conn: Connection) -> object:
        """Return whether the session is confirmed."""
        row = conn.execute("SELECT bool_or(confirmed_at > now() - interval '1 minute') FROM sessions")
        return row.fetchone()

    def test_it_works(self, late: Browser, conn: Connection, provider: Provider) -> None:
        asked = late.press(f"{ACCOUNT}/sessions/end-others")
        page = late.get(asked.location).text
        assert "Sign in again with Zanzibar ID" in page
        assert 'name="secret"' not in page
        answer = provider.sign_in(late, self.START)
        assert (answer.status_code, answer.location) == (303, ACCOUNT)
        assert self.is_confirmed(conn) == (True,)
        assert records(conn)[-1][1:] == ("session.confirm", "user:asha.makame", {"by": "openid"})

    def test_another_user_confirms_nothing(self, late: Browser, conn: Connection, provider: Provider) -> None:
        provider.control(user=ASHA | {"sub": "other", "preferred_username": "juma"})
        answer = provider.sign_in(late, self.START)
        assert answer.status_code == 401
        assert "You have signed in as another user." in answer.text
        assert self.is_confirmed(conn) == (False,)

    def test_a_provider_that_does_not_ask_confirms_nothing(
        self, late: Browser, conn: Connection, provider: Provider
    ) -> None:
        provider.control(fault="auth_time")
        answer = provider.sign_in(late, self.START)
        assert answer.status_code == 401
        assert "has not asked you again" in answer.text
        assert self.is_confirmed(conn) == (False,)


class TestWithoutAProvider:
    """The settings name none."""

    @pytest.fixture
    def environment(self, dsn: str) -> dict[str, str]:
        """Provide the environment of ``app``."""
        return {"DATABASE_URL": dsn}

    @pytest.mark.parametrize("path", ["", "/callback"])
    def test_its_addresses_are_not_found(self, client: Browser, path: str) -> None:
        assert client.get(f"/sign-in/openid{path}").status_code == 404
        assert "Sign in with" not in client.get("/sign-in").text.replace("Sign in with it", "")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"HRIMS_OIDC_ROLES": "hr=king"}, "there is no role 'king'"),
        ({"HRIMS_OIDC_ROLES": "", "HRIMS_OIDC_CLIENT_ID": ""}, "set HRIMS_OIDC_CLIENT_ID, HRIMS_OIDC_ROLES"),
        ({"HRIMS_OIDC_ROLES": "hr"}, "give pairs like"),
    ],
)
def test_wrong_settings_stop_the_start(provider: Provider, change: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        new_app(load(settings_of(provider) | change))
