"""An OpenID provider: its metadata and keys, the address of its sign-in page, and the claims of a user."""

import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple
from urllib.parse import quote_plus

from authlib.oauth2.client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from hrims.access.openid import transport
from hrims.access.openid.errors import OpenIdRefused, ProviderFailed
from hrims.config import Settings

DISCOVERY: Final = "/.well-known/openid-configuration"

KEPT_SECONDS: Final = 600.0
"""Seconds for which metadata and keys are used before they are read again."""

NEW_KEY_SECONDS: Final = 30.0
"""Seconds between two readings of the keys because of a token with an unknown key."""

FAILED_SECONDS: Final = 5.0
"""Seconds after a failed reading in which none is tried, so that a provider that hangs takes few threads."""

LEEWAY: Final = 60
"""Seconds by which the clock of the provider may differ."""

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures that are accepted. Those with a shared secret and ``none`` are not."""


class Exchange(NamedTuple):
    """What protects one sign-in: ``state`` the browser, ``nonce`` the token, ``verifier`` the code (PKCE)."""

    state: str
    nonce: str
    verifier: str


def new_exchange() -> Exchange:
    """Return random values for one sign-in."""
    return Exchange(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48))


class Provider:
    """The provider of the settings. One object serves all threads of a process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock = threading.Lock()
        self._metadata: dict[str, Any] = {}
        self._keys: KeySet | None = None
        self._metadata_at = self._keys_at = self._failed_at = float("-inf")

    @property
    def issuer(self) -> str:
        """Return the issuer of the settings, without a slash at its end."""
        return self.settings.oidc_issuer or ""

    def authorization_url(self, exchange: Exchange, *, again: bool = False) -> str:
        """Return the address of the provider's sign-in page. With ``again``, it asks a known user again."""
        client = OAuth2Client(
            None,
            client_id=self.settings.oidc_client_id,
            redirect_uri=self.settings.oidc_redirect_url,
            scope=self.settings.oidc_scopes,
            code_challenge_method="S256",
        )
        more = {"prompt": "login", "max_age": "0"} if again else {}
        url, _ = client.create_authorization_url(
            self._find("authorization_endpoint"),
            state=exchange.state,
            code_verifier=exchange.verifier,
            nonce=exchange.nonce,
            **more,
        )
        return str(url)

    def fetch_claims(self, code: str, exchange: Exchange) -> dict[str, Any]:
        """Exchange a code for the claims of a user: those of the ID token and of the userinfo endpoint.

        Raises ProviderFailed if the provider does not answer, OpenIdRefused if its token cannot be trusted.
        """
        token = self._fetch_token(code, exchange)
        claims = self._read_id_token(token, exchange.nonce)
        endpoint = self._read_metadata().get("userinfo_endpoint")
        if endpoint and isinstance(token.get("access_token"), str):
            more = transport.get_json(str(endpoint), token["access_token"])
            if more.get("sub") != claims["sub"]:
                raise _not_trusted("userinfo of another user")
            claims = more | claims
        return claims

    def _fetch_token(self, code: str, exchange: Exchange) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.settings.oidc_redirect_url or "",
            "code_verifier": exchange.verifier,
            "client_id": self.settings.oidc_client_id or "",
        }
        secret = self.settings.oidc_client_secret
        # The standard demands that both parts are encoded before they are joined.
        auth = (quote_plus(form["client_id"]), quote_plus(secret)) if secret else None
        return transport.post_form(self._find("token_endpoint"), form, auth)

    def _read_id_token(self, token: dict[str, Any], nonce: str) -> dict[str, Any]:
        try:
            decoded = self._decode(str(token.get("id_token", "")))
            options = {
                "iss": {"essential": True, "value": self._read_metadata()["issuer"]},
                "aud": {"essential": True, "value": self.settings.oidc_client_id},
                "exp": {"essential": True},
            }
            params = {"nonce": nonce, "client_id": self.settings.oidc_client_id}
            if isinstance(token.get("access_token"), str):
                params["access_token"] = token["access_token"]
            claims = CodeIDToken(decoded.claims, decoded.header, options, params)
            claims.validate(leeway=LEEWAY)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise _not_trusted(type(error).__name__) from None
        if not isinstance(claims.get("sub"), str) or not claims["sub"]:
            raise _not_trusted("no subject")
        return dict(claims)

    def _decode(self, id_token: str) -> jwt.Token:
        try:
            return jwt.decode(id_token, self._read_keys(KEPT_SECONDS), algorithms=ALGORITHMS)
        except InvalidKeyIdError:
            # The provider may have a new key.
            return jwt.decode(id_token, self._read_keys(NEW_KEY_SECONDS), algorithms=ALGORITHMS)

    def _read_keys(self, kept_seconds: float) -> KeySet:
        url = self._find("jwks_uri")
        with self._exclusive():
            if self._keys is None or time.monotonic() - self._keys_at > kept_seconds:
                found = self._read(url)
                try:
                    self._keys = KeySet.import_key_set(found)  # type: ignore[arg-type] # checked by the library
                except (JoseError, ValueError, TypeError, KeyError):
                    raise ProviderFailed("keys that cannot be read") from None
                self._keys_at = time.monotonic()
            return self._keys

    def _read_metadata(self) -> dict[str, Any]:
        with self._exclusive():
            if time.monotonic() - self._metadata_at > KEPT_SECONDS:
                found = self._read(self.issuer + DISCOVERY)
                if str(found.get("issuer")).rstrip("/") != self.issuer:
                    raise ProviderFailed("metadata of another issuer")
                self._metadata, self._metadata_at = found, time.monotonic()
            return self._metadata

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        if not self._lock.acquire(timeout=transport.TIMEOUT):
            raise ProviderFailed("another request waits for the provider")
        try:
            yield
        finally:
            self._lock.release()

    def _read(self, url: str) -> dict[str, Any]:
        if time.monotonic() - self._failed_at < FAILED_SECONDS:
            raise ProviderFailed("failed just now")
        try:
            return transport.get_json(url)
        except ProviderFailed:
            self._failed_at = time.monotonic()
            raise

    def _find(self, name: str) -> str:
        url = self._read_metadata().get(name)
        # A provider with TLS does not send users and codes elsewhere without it.
        scheme = self.issuer.partition("://")[0]
        if not isinstance(url, str) or not url.startswith((f"{scheme}://", "https://")):
            raise ProviderFailed(f"no {name}")
        return url


def _not_trusted(reason: str) -> OpenIdRefused:
    return OpenIdRefused(
        "The sign-in service sent an answer that cannot be trusted. Nothing was changed. "
        "Start again. If it happens again, tell the administrator.",
        reason,
        "openid_not_trusted",
    )
