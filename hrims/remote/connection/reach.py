"""The steps of a test before the first request. Input: host and port. Output: addresses, and what TLS shows.

Each raises Failed, which says what happened and what to do.
"""

import asyncio
import contextlib
import errno
import ipaddress
import socket
import ssl
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, Final, Literal, NamedTuple

from hrims.addresses import AddressRefused, Resolve
from hrims.remote.connection import tls
from hrims.remote.connection.addresses import resolve_allowed
from hrims.remote.link import tls_context

CERTIFICATE_DAYS: Final = 21
"""Days before the end of a certificate from which the test warns."""

Result = tuple[str, Literal["ok", "warning"], str]
"""A message, the state and what to do."""


class Failed(Exception):
    """The failure of a step: what happened, and what to do."""

    def __init__(self, message: str, action: str) -> None:
        super().__init__(message)
        self.message, self.action = message, action


class Place(NamedTuple):
    """Where HRIMS should be."""

    host: str
    port: int
    has_tls: bool


async def resolve_in_thread(host: str, port: int) -> list[str]:
    """Resolve a host name in a thread of its own, which no end of an event loop waits for. Raises OSError."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[str]] = loop.create_future()

    def deliver(found: list[str] | None, error: Exception | None) -> None:
        if answer.done():
            return
        if error:
            answer.set_exception(error)
        else:
            answer.set_result(found or [])

    def work() -> None:
        found, error = None, None
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found = list(dict.fromkeys(str(row[4][0]) for row in rows))
        except (OSError, UnicodeError) as caught:
            error = caught
        # The loop is closed if the test has ended meanwhile.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(deliver, found, error)

    threading.Thread(target=work, name="resolve", daemon=True).start()
    return await answer


async def resolve_name(place: Place, seconds: float, look_up: Resolve, *, is_checked: bool) -> list[str]:
    """Return the IP addresses of the host. If they are checked, refuse those that HRIMS cannot have."""
    host = place.host
    try:
        async with asyncio.timeout(seconds):
            if is_checked:
                return await resolve_allowed(host, place.port, look_up)
            return await look_up(host, place.port)
    except AddressRefused as error:
        raise Failed(str(error), "Enter the address of HRIMS.") from None
    except TimeoutError:
        raise Failed(
            f"The name server gave no answer for {host} in {seconds:g} s.",
            "Ask the administrators of the network whether this machine reaches its name server.",
        ) from None
    except (OSError, UnicodeError) as error:
        if isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN:
            message = f"The name server gave no answer for {host}."
        else:
            message = f"The name {host} is not known."
        action = "Check the spelling. Ask the administrators of the network whether this machine may know it."
        raise Failed(message, action) from None


async def connect(place: Place, addresses: list[str], seconds: float) -> str:
    """Return the first IP address that accepts a connection."""
    error: OSError = OSError(errno.EHOSTUNREACH, "no address")
    for address in addresses:
        try:
            async with asyncio.timeout(seconds / len(addresses)):
                _, writer = await asyncio.open_connection(address, place.port)
        except OSError as caught:  # a timeout is one too
            error = caught
        else:
            await _close(writer)
            return address
    raise _describe_connect(error, place, seconds)


def _describe_connect(error: OSError, place: Place, seconds: float) -> Failed:
    where = f"{place.host}, port {place.port}"
    if isinstance(error, TimeoutError):
        return Failed(
            f"{where} gave no answer in {seconds:g} s.",
            "A firewall may block this machine, or the host is down. Ask the administrators of the network.",
        )
    if isinstance(error, ConnectionRefusedError):
        return Failed(
            f"{where} refuses connections: no program listens there.",
            "Check the port in the address, and ask the operators of HRIMS whether it runs.",
        )
    if error.errno in {errno.EHOSTUNREACH, errno.ENETUNREACH}:
        return Failed(
            f"There is no route from this machine to {where}.",
            "Ask the administrators of the network, for example about the VPN to HRIMS.",
        )
    reason = (error.strerror or type(error).__name__).lower()
    return Failed(f"{where} cannot be reached ({reason}).", "Ask the administrators of the network.")


async def handshake(place: Place, address: str, seconds: float) -> Result:
    """Return what TLS shows. Without TLS, warn unless HRIMS is on this machine."""
    if not place.has_tls:
        return _describe_plain(address)
    try:
        async with asyncio.timeout(seconds), _tls_connection(place, address, tls_context()) as writer:
            return _describe_tls(writer)
    except ssl.SSLError as error:
        certificate = await _fetch_certificate(place, address, seconds)
        raise Failed(*tls.describe_error(error, place.host, place.port, certificate)) from None
    except TimeoutError:
        message = f"{place.host} accepted the connection but gave no answer to TLS in {seconds:g} s."
        raise Failed(message, "Check the port in the address. A proxy or firewall may hold TLS up.") from None
    except OSError:
        message = f"{place.host} ended the connection during the TLS handshake."
        action = "Check the port in the address. Ask the operators of HRIMS whether they admit this machine."
        raise Failed(message, action) from None


def _describe_plain(address: str) -> Result:
    if ipaddress.ip_address(address.partition("%")[0]).is_loopback:
        return "Not used. HRIMS is on this machine.", "ok", ""
    return (
        "Not used: credentials and records cross the network unencrypted.",
        "warning",
        "Use an address that begins with https:// if HRIMS has one.",
    )


def _describe_tls(writer: asyncio.StreamWriter) -> Result:
    version, certificate = writer.get_extra_info("ssl_object").version(), None
    if encoded := writer.get_extra_info("ssl_object").getpeercert(binary_form=True):
        certificate = tls.parse_certificate(encoded)
    if not certificate:
        return f"{version}; the certificate is valid.", "ok", ""
    message = f"{version}; the certificate is valid until {certificate.ends_at:%-d %b %Y}."
    if (certificate.ends_at - datetime.now(UTC)).days >= CERTIFICATE_DAYS:
        return message, "ok", ""
    return message, "warning", "Ask the operators of HRIMS to renew it soon."


async def _fetch_certificate(place: Place, address: str, seconds: float) -> tls.Certificate | None:
    """Return the certificate of a server that is not trusted. Nothing is sent to it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        async with asyncio.timeout(seconds), _tls_connection(place, address, context) as writer:
            encoded = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            return tls.parse_certificate(encoded) if encoded else None
    except OSError:  # ssl.SSLError and a timeout are some too
        return None


@contextlib.asynccontextmanager
async def _tls_connection(
    place: Place, address: str, context: ssl.SSLContext
) -> AsyncIterator[asyncio.StreamWriter]:
    _, writer = await asyncio.open_connection(
        address, place.port, ssl=context, server_hostname=place.host.rstrip(".")
    )
    try:
        yield writer
    finally:
        await _close(writer)


async def _close(writer: Any) -> None:
    writer.transport.abort()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
