"""Sends one message: a URL, a body and signed headers come in; what came of it goes out, never an error.

The connection goes to an address that was judged, with the host's name in its header and its certificate.
Of the answer only the status is read.
"""

import asyncio
import functools
import ssl
import time
from typing import Final, NamedTuple
from urllib.parse import urljoin

import httpx

from hrims.webhooks.addresses import Ip, May, Refused, Resolve, Target, allowed, parse, resolve

WHOLE = 15.0
"""Seconds for one try, redirects included."""

CONNECT = 5.0
"""Seconds to reach one address."""

MOST_REDIRECTS = 3
MOST_ADDRESSES = 3
"""Addresses of one host that are tried."""

REDIRECTS: Final = frozenset({301, 302, 307, 308})
"""After these the same message goes to another address; a 303 asks for something else."""

GONE = 410


class Tried(NamedTuple):
    """What came of a try: the status that was answered, trouble in words if it failed, how long it took."""

    status: int | None
    trouble: str | None
    milliseconds: int

    @property
    def delivered(self) -> bool:
        return self.trouble is None


async def post(url: str, body: bytes, headers: dict[str, str], may: May, look_up: Resolve = resolve) -> Tried:
    """Sends a message; never raises for what the receiver does."""
    began = time.monotonic()
    status, trouble = None, None
    try:
        async with asyncio.timeout(WHOLE):
            status = await _follow(url, body, headers, may, look_up)
        trouble = _trouble(status)
    except Refused as reason:
        trouble = str(reason)
    except TimeoutError:
        trouble = f"The receiver gave no answer in {WHOLE:g} seconds."
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ValueError) as reason:
        trouble = _in_words(reason)
    return Tried(status, trouble, int(1000 * (time.monotonic() - began)))


def _trouble(status: int) -> str | None:
    if 200 <= status < 300:
        return None
    if status == GONE:
        return "The receiver answered 410: it is gone for good."
    return f"The receiver answered {status}."


async def _follow(url: str, body: bytes, headers: dict[str, str], may: May, look_up: Resolve) -> int:
    for _ in range(MOST_REDIRECTS + 1):
        target = parse(url)
        ips = await allowed(target, may, look_up)
        status, location = await _send(target, ips[:MOST_ADDRESSES], body, headers)
        if status not in REDIRECTS or not location:
            return status
        url = onward(url, location)
    raise Refused(f"The receiver sent the message on more than {MOST_REDIRECTS} times.")


def onward(url: str, location: str) -> str:
    """Where a redirect leads; it is judged like any other address. Raises Refused for one out of https."""
    there = urljoin(url, location)
    if url.lower().startswith("https:") and not there.lower().startswith("https:"):
        raise Refused("The receiver sent the message on from https to an open address.")
    return there


async def _send(
    target: Target, ips: list[Ip], body: bytes, headers: dict[str, str]
) -> tuple[int, str | None]:
    for ip in ips[:-1]:
        try:
            return await _ask(target, ip, body, headers)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            continue
    return await _ask(target, ips[-1], body, headers)


async def _ask(target: Target, ip: Ip, body: bytes, headers: dict[str, str]) -> tuple[int, str | None]:
    host = f"[{ip}]" if ip.version == 6 else str(ip)
    url = target.url._replace(netloc=f"{host}:{target.port}", fragment="").geturl()
    async with (
        httpx.AsyncClient(
            verify=_trust(),
            timeout=httpx.Timeout(WHOLE, connect=CONNECT),
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
        ) as answer,
    ):
        return answer.status_code, answer.headers.get("Location")


@functools.cache
def _trust() -> ssl.SSLContext:
    """The public authorities, and those that the machine's owner installed for inside use. Made once: it
    takes longer than asking.
    """
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context


def _in_words(reason: Exception) -> str:
    if isinstance(reason, httpx.ConnectTimeout):
        return f"The receiver could not be reached in {CONNECT:g} seconds."
    if isinstance(reason, httpx.ConnectError):
        if "CERTIFICATE" in str(reason):
            return "The receiver's certificate is not one that is trusted here for its name."
        return "The receiver could not be reached: it takes no connection."
    if isinstance(reason, httpx.TimeoutException):
        return f"The receiver gave no answer in {WHOLE:g} seconds."
    return "The receiver broke the connection off, or what it answered is no HTTP."
