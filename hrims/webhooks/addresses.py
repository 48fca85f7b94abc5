"""Which addresses may be asked: a URL or an IP address comes in; whether it may, and why not, goes out.

A name is resolved once, every address that it has is judged, and the connection goes to one of those: a name
that means another machine a moment later (DNS rebinding) changes nothing.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple
from urllib.parse import SplitResult, urlsplit

from hrims.errors import HrimsSyncError

Ip = ipaddress.IPv4Address | ipaddress.IPv6Address
May = Callable[[Ip], bool]
"""Whether an address may be asked."""

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""All addresses of a name."""

LONGEST = 2000
"""Letters of a URL at most."""

UNICAST: Final = ipaddress.ip_network("2000::/3")
"""The only part of IPv6 that reaches the internet; 64:ff9b::/96 stands for IPv4 beside it."""

NOT_OURS: Final = [
    ipaddress.ip_network(one) for one in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
]
"""Parts of it that are tunnels, tests and documentation."""

NAT64: Final = ipaddress.ip_network("64:ff9b::/96")

PRIVATE = (
    "The address is a private, local or reserved one. Messages go there only with HRIMS_WEBHOOK_PRIVATE=yes."
)


class Refused(HrimsSyncError):
    """This URL is not asked."""

    again = False


class Target(NamedTuple):
    """A URL in its parts, as it may be asked."""

    url: SplitResult
    host: str
    port: int

    @property
    def name(self) -> str:
        """The host as requests name it, with the port unless it is the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = self.port == (443 if self.url.scheme == "https" else 80)
        return host if usual else f"{host}:{self.port}"


def parse(url: str) -> Target:
    """Takes a URL apart. Raises Refused for one that is not plain http or https."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Refused("This is no web address.") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise Refused("This is no web address: it begins with https:// and names a host.")
    if parts.username is not None or parts.password is not None:
        raise Refused("A user name or password does not belong into the address; messages are signed.")
    if len(url) > LONGEST or any(letter.isspace() or not letter.isprintable() for letter in url):
        raise Refused(f"A web address has no spaces and {LONGEST:,} letters at most.")
    try:
        host = parts.hostname.encode("idna").decode() if not parts.hostname.isascii() else parts.hostname
    except UnicodeError:
        raise Refused("The host in this web address cannot be a name.") from None
    if port == 0:
        raise Refused("There is no port 0.")
    return Target(parts, host, port or (443 if parts.scheme == "https" else 80))


def is_public(ip: Ip) -> bool:
    """Whether an address is one of the internet, not one of this machine or of the network around it."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_loopback)
    inner = ip.ipv4_mapped or (ipaddress.IPv4Address(ip.packed[-4:]) if ip in NAT64 else None)
    if inner is not None:
        return is_public(inner)
    return ip in UNICAST and ip.is_global and not any(ip in part for part in NOT_OURS)


def anything(ip: Ip) -> bool:
    """What HRIMS_WEBHOOK_PRIVATE=yes allows: every address that belongs to one machine."""
    return not (ip.is_multicast or ip.is_unspecified)


def rule(private: bool) -> May:
    """Which addresses may be asked with this setting."""
    return anything if private else is_public


def plainly_private(host: str) -> bool:
    """Whether a host means a private address without asking anybody: ``localhost``, or a number in any of the
    ways in which C's libraries read one (127.1, 0x7f000001, 2130706433).
    """
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    ip = literal(name)
    return ip is not None and not is_public(ip)


def literal(host: str) -> Ip | None:
    """The address that a host is, if it is one and no name."""
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except (OSError, UnicodeError):
        return None


async def resolve(host: str, port: int) -> list[str]:
    """The addresses that this machine finds for a name. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


async def allowed(target: Target, may: May, look_up: Resolve = resolve) -> list[Ip]:
    """The addresses of a target. Raises Refused when one of them may not be asked, or there is none."""
    try:
        found = await look_up(target.host, target.port)
    except (OSError, UnicodeError):
        raise Refused("The name of its host cannot be found.") from None
    ips = [ipaddress.ip_address(one.partition("%")[0]) for one in found]
    if not ips:
        raise Refused("The name of its host has no address.")
    if not all(may(ip) for ip in ips):
        raise Refused(PRIVATE)
    return ips
