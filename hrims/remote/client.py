"""Asking HRIMS: an identifier and a page number come in, a page or one error of the tree goes out.

Only this file and ``webhooks/post.py`` import httpx. Credentials travel in two headers and appear nowhere
else.
"""

import asyncio
import logging
import ssl
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Self

import httpx
import msgspec

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
from hrims.remote import body, pace, wire

OPERATIONS: Final = {"votecode": "204", "tin": "205"}
NOBODY: Final = "000000000"
"""A well-formed ZanID that nobody has: the cheapest question there is."""

for _name in ("httpx", "httpcore"):
    # their debug lines hold the headers of answers, and a line a request helps nobody
    logging.getLogger(_name).setLevel(logging.WARNING)


class Remote:
    """HRIMS, over one client with connections kept alive; use it as an async context manager."""

    def __init__(self, settings: Settings, *, base_url: str | None = None) -> None:
        """``base_url`` overrides the settings' one. Raises ConfigError where neither is usable."""
        self._url = _endpoint(base_url or settings.base_url)
        self.address = base_url or settings.base_url or ""
        """That of HRIMS, as it was given."""
        self._whole = settings.request_timeout
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
        """Closes every connection."""
        await self._client.aclose()

    async def page(self, identifier_type: str, identifier: str, number: int, size: int) -> wire.Page:
        """Page ``number`` (from 0) of ``size`` people under a vote code or TIN.

        ``identifier_type`` is ``votecode`` or ``tin``. Raises RemoteError.
        """
        about = {"PageNumber": number, "PageSize": size, "RequestBody": identifier}
        answer = await self._ask(OPERATIONS[identifier_type], about)
        return wire.decode_page(answer, number=number, size=size)

    async def everyone(self, number: int, size: int) -> wire.Page:
        """Page ``number`` (from 0) of ``size`` people of all institutions. Raises RemoteError."""
        answer = await self._ask("201", {"PageNumber": number, "PageSize": size})
        return wire.decode_page(answer, number=number, size=size)

    async def person(self, key: str) -> wire.Person | wire.Unreadable:
        """The employee with the payroll number or ZanID ``key``. Raises RemoteError."""
        return wire.decode_person(await self._ask("202", {"RequestBody": key}))

    async def check(self) -> None:
        """Asks for nobody: returns if HRIMS is there and accepts us, else raises RemoteError."""
        answer = await self._ask("202", {"RequestBody": NOBODY})
        with suppress(RemoteUnknown, RemoteBadRequest):
            wire.decode_person(answer)

    async def _ask(self, operation: str, about: dict[str, Any]) -> bytes:
        request = msgspec.json.encode({"RequestId": operation, "RequestPayloadData": about})
        try:
            async with asyncio.timeout(self._whole):
                return await self._exchange(request)
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as reason:
            failure = self._in_words(reason)
        # raised out here, so that httpx' error, which may quote a header, does not hang on to it
        raise failure

    async def _exchange(self, request: bytes) -> bytes:
        async with self._client.stream("POST", self._url, content=request) as response:
            _refuse(response)
            answer = await body.read(
                response.aiter_raw(),
                length=response.headers.get("Content-Length"),
                encoding=response.headers.get("Content-Encoding"),
                limit=self._limit,
            )
        _judge(response, answer)
        return answer

    def _in_words(self, reason: Exception) -> RemoteError:
        where, timeout = f"HRIMS at {self._url}", self._client.timeout
        if isinstance(reason, httpx.ConnectTimeout):
            return RemoteTimeout(f"{where} could not be reached in {timeout.connect:g} seconds.")
        if isinstance(reason, httpx.TimeoutException):
            return RemoteTimeout(f"{where} was silent for {timeout.read:g} seconds.")
        if isinstance(reason, TimeoutError):
            return RemoteTimeout(f"{where} gave no whole answer in {self._whole:g} seconds.")
        return _broken(where, reason)


def _broken(where: str, reason: Exception) -> RemoteError:
    if isinstance(reason, httpx.ConnectError) and _is_distrust(reason):
        return RemoteUnreachable(
            f"{where} shows a certificate that this machine does not trust. "
            "Install the authority that signed it, or name its file in SSL_CERT_FILE."
        )
    if isinstance(reason, httpx.ConnectError):
        return RemoteUnreachable(f"{where} cannot be reached. Is the address right?")
    if isinstance(reason, httpx.RemoteProtocolError) and not _is_broken_off(reason):
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
    """The public authorities, and those that the machine's owner installed for inside use."""
    if not url.startswith("https:"):
        # Nothing is signed, and redirects are not followed: the authorities need not be read.
        return False
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context


def _refuse(response: httpx.Response) -> None:
    """Raises what the status alone says, before any body is read."""
    status = response.status_code
    if status in {401, 403}:
        raise RemoteCredentials(wire.CREDENTIALS_REFUSED)
    if status == 413:
        raise RemoteTooLarge(f"{wire.TOO_LARGE_FOR_HRIMS} (HTTP 413).", retry_after=_wait(response))
    if status in {408, 425, 429} or status >= 500:
        words = f"HRIMS answered that it failed (HTTP {status})."
        raise RemoteFailed(words, retry_after=_wait(response))
    if 300 <= status < 400:
        raise RemoteGarbled(
            f"HRIMS answered with a redirect (HTTP {status}), which is not followed, because it "
            "could carry the credentials elsewhere. Check HRIMS_BASE_URL."
        )


def _judge(response: httpx.Response, answer: bytes) -> None:
    """Raises what a body says that arrives under a failing status or with a Retry-After."""
    status, wait = response.status_code, _wait(response)
    if status < 400 and wait is None:
        return
    if told := wire.verdict(answer):
        wire.judge(told, retry_after=wait)
    if status == 404:
        raise RemoteBadRequest(
            "There is no HRIMS at this address (HTTP 404, without HRIMS' own words). Check HRIMS_BASE_URL."
        )
    if status >= 400:
        raise RemoteBadRequest(f"HRIMS calls the request wrong (HTTP {status}).")


def _wait(response: httpx.Response) -> float | None:
    return pace.asked_for(response.headers.get("Retry-After", ""), datetime.now(UTC))


def _is_distrust(reason: BaseException | None) -> bool:
    while reason is not None and not isinstance(reason, ssl.SSLCertVerificationError):
        reason = reason.__cause__ or reason.__context__
    return reason is not None


def _is_broken_off(reason: httpx.RemoteProtocolError) -> bool:
    """httpx has one error for a peer that hangs up and for one that does not speak HTTP."""
    return "disconnected" in str(reason) or "closed connection" in str(reason)
