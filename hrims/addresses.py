"""IP addresses and hosts of URLs. Input: text. Output: addresses, for rules that say which may be requested.

``webhooks.delivery.addresses`` has the rule of webhooks, ``remote.connection.addresses`` that of HRIMS.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable
from typing import Final

from hrims.errors import HrimsSyncError

Ip = ipaddress.IPv4Address | ipaddress.IPv6Address
IpRule = Callable[[Ip], bool]
"""Returns whether requests to an address are allowed."""

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""Returns all addresses of a host name."""

NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


class AddressRefused(HrimsSyncError):
    """An error for a URL to which no request is sent."""


def embedded_ipv4(ip: Ip) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that an IPv6 address leads to, if it is a mapped or translated one."""
    if isinstance(ip, ipaddress.IPv4Address):
        return None
    return ip.ipv4_mapped or (ipaddress.IPv4Address(ip.packed[-4:]) if ip in NAT64 else None)


def parse_ip(host: str) -> Ip | None:
    """Return the address if the host is an address literal; None if it is a name."""
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except (OSError, UnicodeError):
        return None


async def resolve(host: str, port: int) -> list[str]:
    """Resolve a host name to its addresses. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
