"""Sends one message. Input: a URL, a body and signed headers. Output: the result, never an error.

The connection goes to a checked address. The Host header and the certificate check use the host's name. The
body of the response is not read.
"""

import asyncio
import functools
import ssl
import time
from typing import Final, NamedTuple
from urllib.parse import urljoin

import httpx

from hrims.addresses import AddressRefused, Ip, IpRule, Resolve, resolve
from hrims.webhooks.delivery.addresses import Target, parse, resolve_allowed

TIMEOUT = 15.0
"""Timeout of one attempt in seconds, redirects included."""

CONNECT_TIMEOUT = 5.0
"""Timeout in seconds for the connection to one address."""

MAX_REDIRECTS = 3
MAX_ADDRESSES = 3
"""Number of addresses of one host that are tried."""

REDIRECTS: Final = frozenset({301, 302, 307, 308})
"""Redirects that repeat the same message at another URL. A 303 is not one: it changes the request to GET."""

GONE = 410


class DeliveryAttempt(NamedTuple):
    """The result of an attempt: the response status, the error as text if it failed, and the duration."""

    status: int | None
    error: str | None
    milliseconds: int

    @property
    def delivered(self) -> bool:
        return self.error is None


async def post(
    url: str, body: bytes, headers: dict[str, str], is_allowed: IpRule, look_up: Resolve = resolve
) -> DeliveryAttempt:
    """Send a message. It never raises for errors of the receiver."""
    started = time.monotonic()
    status, error = None, None
    try:
        async with asyncio.timeout(TIMEOUT):
            status = await _follow(url, body, headers, is_allowed, look_up)
        error = _describe_status(status)
    except AddressRefused as exception:
        error = str(exception)
    except TimeoutError:
        error = f"The receiver gave no answer in {TIMEOUT:g} seconds."
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ValueError) as exception:
        error = _describe_exception(exception)
    return DeliveryAttempt(status, error, int(1000 * (time.monotonic() - started)))


def _describe_status(status: int) -> str | None:
    if 200 <= status < 300:
        return None
    if status == GONE:
        return "The receiver answered 410: it is gone for good."
    return f"The receiver answered {status}."


async def _follow(
    url: str, body: bytes, headers: dict[str, str], is_allowed: IpRule, look_up: Resolve
) -> int:
    for _ in range(MAX_REDIRECTS + 1):
        target = parse(url)
        ips = await resolve_allowed(target, is_allowed, look_up)
        status, location = await _send(target, ips[:MAX_ADDRESSES], body, headers)
        if status not in REDIRECTS or not location:
            return status
        url = redirect_target(url, location)
    raise AddressRefused(f"The receiver sent the message on more than {MAX_REDIRECTS} times.")


def redirect_target(url: str, location: str) -> str:
    """Return the target of a redirect.

    It is checked like any other URL. Raises AddressRefused if it leaves https.
    """
    target = urljoin(url, location)
    if url.lower().startswith("https:") and not target.lower().startswith("https:"):
        raise AddressRefused("The receiver sent the message on from https to an open address.")
    return target


async def _send(
    target: Target, ips: list[Ip], body: bytes, headers: dict[str, str]
) -> tuple[int, str | None]:
    for ip in ips[:-1]:
        try:
            return await _request(target, ip, body, headers)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            continue
    return await _request(target, ips[-1], body, headers)


async def _request(target: Target, ip: Ip, body: bytes, headers: dict[str, str]) -> tuple[int, str | None]:
    host = f"[{ip}]" if ip.version == 6 else str(ip)
    url = target.url._replace(netloc=f"{host}:{target.port}", fragment="").geturl()
    async with (
        httpx.AsyncClient(
            verify=_ssl_context(),
            timeout=httpx.Timeout(TIMEOUT, connect=CONNECT_TIMEOUT),
            follow_redirects=False,
            trust_env=False,
        ) as client,
        client.stream(
            "POST",
            url,
            content=body,
            headers={
                "Host": target.name,
                "Content-Type": "application/json",
                "User-Agent": "hrims-sync",
                "Accept-Encoding": "identity",
                **headers,
            },
            extensions={"sni_hostname": target.host},
        ) as response,
    ):
        return response.status_code, response.headers.get("Location")


@functools.cache
def _ssl_context() -> ssl.SSLContext:
    """Return the TLS context: the public certificate authorities and those installed on this machine.

    It is cached, because creating it takes longer than a request.
    """
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context


def _describe_exception(exception: Exception) -> str:
    if isinstance(exception, httpx.ConnectTimeout):
        return f"The receiver could not be reached in {CONNECT_TIMEOUT:g} seconds."
    if isinstance(exception, httpx.ConnectError):
        if "CERTIFICATE" in str(exception):
            return "The receiver's certificate is not one that is trusted here for its name."
        return "The receiver could not be reached: it takes no connection."
    if isinstance(exception, httpx.TimeoutException):
        return f"The receiver gave no answer in {TIMEOUT:g} seconds."
    return "The receiver broke the connection off, or what it answered is no HTTP."
