"""The errors of a sign-in with an OpenID provider."""

from hrims.errors import InputError, NotSignedIn


class OpenIdRefused(NotSignedIn):
    """The provider or the settings do not let this user in. ``reason`` is for the audit record."""

    code = "openid_refused"

    def __init__(self, message: str, reason: str, code: str | None = None) -> None:
        super().__init__(message, code)
        self.reason = reason


class ProviderFailed(InputError):
    """The provider did not answer, or not as the standard demands. ``reason`` is for the audit record."""

    status = 503
    code = "openid_unavailable"

    def __init__(self, reason: str) -> None:
        super().__init__(
            "The sign-in service does not answer as it should. Nothing was changed. "
            "Try again in a moment. If it happens again, tell the administrator."
        )
        self.reason = reason
