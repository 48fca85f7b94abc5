"""HTTP client of HRIMS. Input: an identifier and a page number. Output: a page, or one RemoteError.

Beside it only webhooks and OpenID import httpx. Credentials appear in two headers and nowhere else.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import httpx
import msgspec

from hrims import request_ids, tracing
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
    RemoteUnknown,
    RemoteUnreachable,
)
from hrims.metrics import measure_remote
from hrims.remote import body, retry_after, wire
from hrims.remote.error_details import timed, with_status

T = TypeVar("T")

OPERATIONS: Final = {"votecode": "204", "tin": "205"}
UNKNOWN_ZAN_ID: Final = "000000000"
"""A well-formed ZanID that no employee has. A request for it is the cheapest one."""

for _name in ("httpx", "httpcore"):
    # Their debug lines contain response headers, and one line per request is noise.
    logging.getLogger(_name).setLevel(logging.WARNING)


class Remote:
    """A client of HRIMS with one pool of keep-alive connections. Use it as an async context manager."""

    def __init__(self, settings: Settings, *, base_url: str | None = None) -> None:
        """Create the client. ``base_url`` overrides the one of the settings.

        Raises ConfigError if neither is usable.
        """
        self._url = _endpoint(base_url or settings.base_url)
        self.base_url = base_url or settings.base_url or ""
        """The base URL of HRIMS, as given."""
        self._total_timeout = settings.request_timeout
        self._limit = settings.max_response_mb * body.MB
        self._client = httpx.AsyncClient(
            headers=_headers(settings),
            timeout=_timeouts(settings),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=32),
            verify=_trust(self._url),
            follow_redirects=False,
            trust_env=False,
        )

    def __repr__(self) -> str:
        return f"Remote({self._url})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    async def page(self, identifier_type: str, identifier: str, number: int, size: int) -> wire.Page:
        """Return page ``number`` (from 0) of ``size`` employees of a vote code or TIN.

        ``identifier_type`` is ``votecode`` or ``tin``. Raises RemoteError.
        """
        about = {"PageNumber": number, "PageSize": size, "RequestBody": identifier}
        with self._measured(identifier_type, page=number, size=size):
            return await self._ask(
                OPERATIONS[identifier_type], about, partial(wire.decode_page, number=number, size=size)
            )

    async def all_employees(self, number: int, size: int) -> wire.Page:
        """Return page ``number`` (from 0) of ``size`` employees of all institutions. Raises RemoteError."""
        about = {"PageNumber": number, "PageSize": size}
        return await self._ask("201", about, partial(wire.decode_page, number=number, size=size))

    async def person(self, key: str) -> wire.Person | wire.Unreadable:
        """Return the employee with the payroll number or ZanID ``key``. Raises RemoteError."""
        with self._measured("person"):
            return await self._ask("202", {"RequestBody": key}, wire.decode_person)

    async def check(self) -> None:
        """Request an unknown employee. Return if HRIMS responds and accepts the credentials.

        Raises RemoteError otherwise.
        """
        with self._measured("check"):
            answer = await self._ask("202", {"RequestBody": UNKNOWN_ZAN_ID}, bytes)
            with suppress(RemoteUnknown, RemoteBadRequest):
                wire.decode_person(answer)

    @contextmanager
    def _measured(self, operation: str, **about: int) -> Iterator[None]:
        """Measure a request, and make a span of it."""
        with measure_remote(operation), tracing.span(f"HRIMS {operation}", "CLIENT", None, **about):
            yield

    async def _ask(self, operation: str, about: dict[str, Any], decode: Callable[[bytes], T]) -> T:
        request = msgspec.json.encode({"RequestId": operation, "RequestPayloadData": about})
        with timed():
            status, answer = await self._send(request)
            with with_status(status):
                return decode(answer)

    async def _send(self, request: bytes) -> tuple[int, bytes]:
        try:
            async with asyncio.timeout(self._total_timeout):
                return await self._exchange(request)
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as reason:
            failure = self._to_remote_error(reason)
        # Raise it outside the handler: otherwise its context is httpx' error, which may quote a header.
        raise failure

    async def _exchange(self, request: bytes) -> tuple[int, bytes]:
        headers = request_ids.headers()
        async with self._client.stream("POST", self._url, content=request, headers=headers) as response:
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
        where, timeout = f"HRIMS at {self._url}", self._client.timeout
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


def _trust(url: str) -> ssl.SSLContext | bool:
    """Return the public authorities, and those that the owner of this machine installed for internal use."""
    if not url.startswith("https:"):
        # No certificate is checked and redirects are not followed, so do not load the authorities.
        return False
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
            "could carry the credentials elsewhere. Check HRIMS_BASE_URL."
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
            "There is no HRIMS at this address (HTTP 404, without HRIMS' own words). Check HRIMS_BASE_URL."
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
