"""The provider's process, the browser's way to it, and the settings that name it."""

from typing import Any

import httpx

from hrims.db import Connection
from tests.support.openid_provider import CLIENT_ID, CLIENT_SECRET
from tests.web.browsers import Browser

HOME, ACCOUNT = "/dashboard/admin/fetch-data", "/dashboard/account"

ASHA = {
    "sub": "248289761001",
    "preferred_username": "Asha.Makame",
    "roles": ["staff", "hr"],
    "votes": ["001", "037"],
}


class Provider:
    """The provider's process, and the browser's way to it."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.client = httpx.Client(base_url=self.url, trust_env=False, timeout=60)

    def control(self, **order: Any) -> None:
        """Say who signs in, or which fault the provider has."""
        assert self.client.post("/control", json=order).status_code == 200

    def answer(self, browser: Browser, start: str = "/sign-in/openid") -> str:
        """Begin a sign-in, let the provider answer, and return the path to which it sends the browser."""
        begun = browser.get(start)
        assert begun.status_code == 303, begun.text
        assert begun.location.startswith(f"{self.url}/authorize?")
        back = self.client.get(begun.location)
        assert back.status_code == 302
        return back.headers["Location"].removeprefix("http://localhost")

    def sign_in(self, browser: Browser, start: str = "/sign-in/openid") -> Any:
        """Sign in and return the answer to the return from the provider."""
        return browser.get(self.answer(browser, start))


def settings_of(provider: Provider) -> dict[str, str]:
    """Return the settings for a provider."""
    return {
        "HRIMS_OIDC_ISSUER": provider.url,
        "HRIMS_OIDC_NAME": "Zanzibar ID",
        "HRIMS_OIDC_CLIENT_ID": CLIENT_ID,
        "HRIMS_OIDC_CLIENT_SECRET": CLIENT_SECRET,
        "HRIMS_OIDC_REDIRECT_URL": "http://localhost/sign-in/openid/callback",
        "HRIMS_OIDC_ROLES": "hr-admins=administrator, hr=officer",
        "HRIMS_OIDC_INSTITUTION_CLAIM": "votes",
    }


RECORDS = """
SELECT actor, action, subject, details || jsonb_strip_nulls(
    jsonb_build_object('before', before, 'after', after, 'reason', reason))
FROM audit_log WHERE action NOT LIKE 'request.%' ORDER BY id
"""

WITHOUT_ORIGIN = """
SELECT action, actor FROM audit_log
WHERE action NOT LIKE 'request.%' AND via = 'page'
  AND (request_id IS NULL OR user_agent IS NULL OR user_id IS NULL AND actor <> '(not signed in)')
"""


def records(conn: Connection) -> list[tuple[object, ...]]:
    """Return actor, action, subject and details of all records but those of requests.

    Each names the browser and the request, and a user if there is a sign-in.
    """
    assert conn.execute(WITHOUT_ORIGIN).fetchall() == []
    return conn.execute(RECORDS.encode()).fetchall()
