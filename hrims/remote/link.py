"""A pool of connections to HRIMS. Input: the body of a request. Output: status and body, or RemoteError.

Beside it only webhooks and OpenID import httpx. Credentials appear in two headers and nowhere else.
"""

import asyncio
import logging
import ssl
from datetime import UTC, datetime
from typing import Final

import httpx

from hrims import request_ids
from hrims.addresses import AddressRefused
from hrims.config import Settings
from hrims.errors import (
    ConfigError,
    RemoteBadRequest,
    RemoteCredentials,
    RemoteError,
    RemoteFailed,
    RemoteGarbled,
    RemoteTimeout,
    RemoteTooLarge,
    RemoteUnreachable,
)
from hrims.remote import body, retry_after, wire
from hrims.remote.connection.network import Network
from hrims.remote.error_details import with_status

CHECK_ADDRESS: Final = "Check the address on the page “HRIMS connection”, or in HRIMS_BASE_URL."

for _name in ("httpx", "httpcore"):
    # Their debug lines contain response headers, and one line per request is noise.
    logging.getLogger(_name).setLevel(logging.WARNING)


class Link:
    """A pool of keep-alive connections to one address, with its credentials and timeouts."""

    def __init__(self, settings: Settings, base_url: str | None, network: Network | None = None) -> None:
        """Create the pool. It connects at the first request. Raises ConfigError."""
        self.url = _endpoint(base_url)
        self._total_timeout = settings.request_timeout
        self._limit = settings.max_response_mb * body.MB
        self._client = httpx.AsyncClient(
            headers=_headers(settings),
            timeout=_timeouts(settings),
            transport=_transport(self.url, network),
            follow_redirects=False,
            trust_env=False,
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    async def send(self, request: bytes) -> tuple[int, bytes]:
        """Send a request. Return the HTTP status and the body of the response."""
        try:
            async with asyncio.timeout(self._total_timeout):
                return await self._exchange(request)
        except AddressRefused as reason:
            failure: RemoteError = RemoteUnreachable(f"HRIMS at {self.url} cannot be asked. {reason}")
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as reason:
            failure = self._to_remote_error(reason)
        # Raise it outside the handler: otherwise its context is httpx' error, which may quote a header.
        raise failure

    async def _exchange(self, request: bytes) -> tuple[int, bytes]:
        async with self._client.stream(
            "POST", self.url, content=request, headers=request_ids.headers()
        ) as response:
            with with_status(response.status_code):
                _refuse(response)
                answer = await body.read(
                    response.aiter_raw(),
                    length=response.headers.get("Content-Length"),
                    encoding=response.headers.get("Content-Encoding"),
                    limit=self._limit,
                )
                _judge(response, answer)
        return response.status_code, answer

    def _to_remote_error(self, reason: Exception) -> RemoteError:
        where, timeout = f"HRIMS at {self.url}", self._client.timeout
        if isinstance(reason, httpx.ConnectTimeout):
            return RemoteTimeout(f"{where} could not be reached in {timeout.connect:g} seconds.")
        if isinstance(reason, httpx.TimeoutException):
            return RemoteTimeout(f"{where} was silent for {timeout.read:g} seconds.")
        if isinstance(reason, TimeoutError):
            return RemoteTimeout(f"{where} gave no whole answer in {self._total_timeout:g} seconds.")
        return _broken(where, reason)


def _broken(where: str, reason: Exception) -> RemoteError:
    if isinstance(reason, httpx.ConnectError) and _is_certificate_error(reason):
        return RemoteUnreachable(
            f"{where} shows a certificate that this machine does not trust. "
            "Install the authority that signed it, or name its file in SSL_CERT_FILE."
        )
    if isinstance(reason, httpx.ConnectError):
        return RemoteUnreachable(f"{where} cannot be reached. Is the address right?")
    if isinstance(reason, httpx.RemoteProtocolError) and not _is_incomplete_read(reason):
        return RemoteGarbled(f"{where} answered with something that is not HTTP.")
    return RemoteUnreachable(f"{where} broke the connection before its answer was whole.")


def _endpoint(base_url: str | None) -> str:
    if base_url is None:
        raise ConfigError("No address of HRIMS is known. Set HRIMS_BASE_URL. Nothing was asked.")
    if not _is_plain_address(base_url):
        raise ConfigError(
            "HRIMS_BASE_URL is wrong: give a plain address like https://hrims.example.go.tz/api, "
            "without credentials, ? or #. Nothing was asked."
        )
    return f"{base_url.rstrip('/')}/Employees"


def _is_plain_address(text: str) -> bool:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        return False
    known = url.scheme in {"http", "https"} and url.host
    return bool(known) and not (url.userinfo or url.query or url.fragment)


def _headers(settings: Settings) -> dict[str, str]:
    secrets = {"HRIMS_API_KEY": settings.api_key, "HRIMS_TOKEN": settings.token}
    for name, value in secrets.items():
        if not (value.isascii() and value.isprintable()):
            raise ConfigError(f"{name} holds a character that no HTTP header carries.")
    return {
        "ApiKey": settings.api_key,
        "Token": settings.token,
        "Content-Type": "application/json",
        "Accept": "application/json",
        "Accept-Encoding": "gzip",
        "User-Agent": "hrims-sync",
    }


def _timeouts(settings: Settings) -> httpx.Timeout:
    return httpx.Timeout(
        connect=settings.connect_timeout,
        read=settings.read_timeout,
        write=settings.read_timeout,
        pool=None,
    )


def _transport(url: str, network: Network | None) -> httpx.AsyncHTTPTransport:
    transport = httpx.AsyncHTTPTransport(
        # Without TLS, no certificate is checked and redirects are not followed: load no authorities.
        verify=tls_context() if url.startswith("https:") else False,
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=32),
        trust_env=False,
    )
    if network:
        # httpx has no parameter for it, httpcore has.
        transport._pool._network_backend = network  # noqa: SLF001 - see the line above
    return transport


def tls_context() -> ssl.SSLContext:
    """Return the public authorities, and those that the owner of this machine installed for internal use."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context


def _refuse(response: httpx.Response) -> None:
    """Raise the error that the status alone determines, before the body is read."""
    status = response.status_code
    if status in {401, 403}:
        raise RemoteCredentials(wire.CREDENTIALS_REFUSED)
    if status == 413:
        raise RemoteTooLarge(f"{wire.TOO_LARGE_FOR_HRIMS} (HTTP 413).", retry_after=_wait(response))
    if status in {408, 425, 429} or status >= 500:
        message = f"HRIMS answered that it failed (HTTP {status})."
        raise RemoteFailed(message, retry_after=_wait(response))
    if 300 <= status < 400:
        raise RemoteGarbled(
            f"HRIMS answered with a redirect (HTTP {status}), which is not followed, because it "
            f"could carry the credentials elsewhere. {CHECK_ADDRESS}"
        )


def _judge(response: httpx.Response, answer: bytes) -> None:
    """Raise the error that a body contains if the status is a failure or a Retry-After is present."""
    status, wait = response.status_code, _wait(response)
    if status < 400 and wait is None:
        return
    if verdict := wire.decode_verdict(answer):
        wire.raise_if_failed(verdict, retry_after=wait)
    if status == 404:
        raise RemoteBadRequest(
            f"There is no HRIMS at this address (HTTP 404, without HRIMS' own words). {CHECK_ADDRESS}"
        )
    if status >= 400:
        raise RemoteBadRequest(f"HRIMS calls the request wrong (HTTP {status}).")


def _wait(response: httpx.Response) -> float | None:
    return retry_after.parse_retry_after(response.headers.get("Retry-After", ""), datetime.now(UTC))


def _is_certificate_error(reason: BaseException | None) -> bool:
    while reason is not None and not isinstance(reason, ssl.SSLCertVerificationError):
        reason = reason.__cause__ or reason.__context__
    return reason is not None


def _is_incomplete_read(reason: httpx.RemoteProtocolError) -> bool:
    """Return whether the peer closed the connection.

    httpx has the same error for that case and for a peer that does not speak HTTP.
    """
    return "disconnected" in str(reason) or "closed connection" in str(reason)
