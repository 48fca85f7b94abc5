"""Protection against server-side request forgery (SSRF).

Input: a URL or an IP address. Output: whether requests to it are allowed, and the reason if not.

A name is resolved once, every address of it is checked, and the connection uses one of those addresses. So a
name that resolves to another machine later (DNS rebinding) has no effect.
"""

import ipaddress
from typing import Final, NamedTuple
from urllib.parse import SplitResult, urlsplit

from hrims.addresses import AddressRefused, Ip, IpRule, Resolve, embedded_ipv4, parse_ip, resolve

MAX_URL_LENGTH = 2000
"""Maximum length of a URL."""

UNICAST: Final = ipaddress.ip_network("2000::/3")
"""The only part of IPv6 that reaches the internet. 64:ff9b::/96 is outside it and maps to IPv4."""

EXCLUDED: Final = [
    ipaddress.ip_network(block) for block in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
]
"""Parts of UNICAST that are tunnels, tests and documentation."""

PRIVATE = (
    "The address is a private, local or reserved one. Messages go there only with HRIMS_WEBHOOK_PRIVATE=yes."
)


class Target(NamedTuple):
    """A parsed URL that may be requested."""

    url: SplitResult
    host: str
    port: int

    @property
    def name(self) -> str:
        """Return the value of the Host header: the host, and the port unless it is the default."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        is_default = self.port == (443 if self.url.scheme == "https" else 80)
        return host if is_default else f"{host}:{self.port}"


def parse(url: str) -> Target:
    """Parse a URL. Raises AddressRefused unless it is a plain http or https URL."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise AddressRefused("This is no web address.") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise AddressRefused("This is no web address: it begins with https:// or http:// and names a host.")
    if parts.username is not None or parts.password is not None:
        raise AddressRefused("A user name or password does not belong into the address; messages are signed.")
    if len(url) > MAX_URL_LENGTH or any(
        character.isspace() or not character.isprintable() for character in url
    ):
        raise AddressRefused(f"A web address has no spaces and {MAX_URL_LENGTH:,} letters at most.")
    try:
        host = parts.hostname.encode("idna").decode() if not parts.hostname.isascii() else parts.hostname
    except UnicodeError:
        raise AddressRefused("The host in this web address cannot be a name.") from None
    if port == 0:
        raise AddressRefused("There is no port 0.")
    return Target(parts, host, port or (443 if parts.scheme == "https" else 80))


def is_public(ip: Ip) -> bool:
    """Return whether an address is on the internet, and not on this machine or a private network."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_loopback)
    inner = embedded_ipv4(ip)
    if inner is not None:
        return is_public(inner)
    return ip in UNICAST and ip.is_global and not any(ip in part for part in EXCLUDED)


def is_unicast(ip: Ip) -> bool:
    """Return whether an address belongs to one machine.

    HRIMS_WEBHOOK_PRIVATE=yes allows all such addresses.
    """
    return not (ip.is_multicast or ip.is_unspecified)


def ip_rule(private: bool) -> IpRule:
    """Return the check of addresses for this setting."""
    return is_unicast if private else is_public


def is_evidently_private(host: str) -> bool:
    """Return whether a host is evidently private, without resolving it.

    That is ``localhost``, or an address in any notation that C libraries accept (127.1, 0x7f000001,
    2130706433).
    """
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    ip = parse_ip(name)
    return ip is not None and not is_public(ip)


async def resolve_allowed(target: Target, is_allowed: IpRule, look_up: Resolve = resolve) -> list[Ip]:
    """Return the addresses of a target. Raises AddressRefused if one is not allowed, or if there is none."""
    try:
        found = await look_up(target.host, target.port)
    except (OSError, UnicodeError):
        raise AddressRefused("The name of its host cannot be found.") from None
    ips = [ipaddress.ip_address(address.partition("%")[0]) for address in found]
    if not ips:
        raise AddressRefused("The name of its host has no address.")
    if not all(is_allowed(ip) for ip in ips):
        raise AddressRefused(PRIVATE)
    return ips
