"""Which addresses an administrator may name as HRIMS. Input: a URL or an IP address. Output: a refusal.

HRIMS is in a private network, or behind a tunnel of this machine. So private and local addresses are allowed,
unlike those of webhooks. Refused is what HRIMS never is: metadata services of clouds, link-local addresses,
and addresses that belong to no single machine.
"""

import ipaddress
from typing import Final
from urllib.parse import SplitResult, urlsplit

from hrims.addresses import AddressRefused, Ip, Resolve, embedded_ipv4, parse_ip, resolve

MAX_LENGTH: Final = 2000

REFUSED: Final = [
    ipaddress.ip_network(block)
    for block in (
        "0.0.0.0/8",  # this network
        "169.254.0.0/16",  # link-local, with the metadata services of most clouds
        "100.100.100.200/32",  # metadata service of Alibaba
        "168.63.129.16/32",  # host agent of Azure
        "192.0.0.0/24",  # protocol assignments, with a metadata service of Oracle
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
        "::/128",  # unspecified
        "fe80::/10",  # link-local
        "fec0::/10",  # site-local, which no network uses today
        "ff00::/8",  # multicast
        "fd00:ec2::/32",  # metadata service of Amazon
        "fd20:ce::/32",  # metadata service of Google
        "2001::/32",  # Teredo, which hides an IPv4 address
        "2002::/16",  # 6to4, which hides an IPv4 address
    )
]

SPECIAL: Final = (
    "{} is an address that HRIMS cannot have: a link-local address, the metadata service of a cloud, or an "
    "address of no single machine. No request is sent there."
)


def parse_address(text: str) -> str:
    """Return the address of HRIMS without a slash at its end.

    Raises AddressRefused unless it is a plain http or https URL whose host may be HRIMS.
    """
    if len(text) > MAX_LENGTH or any(sign.isspace() or not sign.isprintable() for sign in text):
        raise AddressRefused(f"The address has no spaces and at most {MAX_LENGTH:,} characters.")
    parts, port = _split(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise AddressRefused("The address begins with https:// or http:// and names a host.")
    if "@" in parts.netloc:
        raise AddressRefused("The address has no user name and no password. Enter the credentials below.")
    if parts.query or parts.fragment or text.endswith(("?", "#")) or "\\" in text:
        raise AddressRefused("The address has no ?, no # and no backslash.")
    if port == 0:
        raise AddressRefused("There is no port 0.")
    ip = parse_ip(parts.hostname.rstrip("."))
    if ip and not may_be_remote(ip):
        raise AddressRefused(SPECIAL.format(ip))
    # The scheme is case-insensitive; the rest may not be and stays unchanged.
    return (parts.scheme + text[len(parts.scheme) :]).rstrip("/")


def _split(text: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(text)
        port = parts.port
        if parts.hostname and not parts.hostname.isascii():
            parts.hostname.encode("idna")
    except (ValueError, UnicodeError):
        raise AddressRefused("The address is not a valid URL.") from None
    return parts, port


def origin_of(address: str) -> str:
    """Return scheme, host and port of an address: the part that decides who gets the credentials."""
    parts = urlsplit(address)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return f"{parts.scheme}://{(parts.hostname or '').rstrip('.')}:{port}"


def may_be_remote(ip: Ip) -> bool:
    """Return whether HRIMS may have this IP address."""
    inner = embedded_ipv4(ip)
    if inner is not None:
        return may_be_remote(inner)
    return not any(ip in block for block in REFUSED)


async def resolve_allowed(host: str, port: int, look_up: Resolve = resolve) -> list[str]:
    """Return the IP addresses of a host. Raises AddressRefused if one is refused, OSError without any."""
    try:
        found = await look_up(host, port)
    except UnicodeError:
        raise OSError(f"{host} cannot be the name of a host") from None
    for text in found:
        ip = ipaddress.ip_address(text.partition("%")[0])
        if not may_be_remote(ip):
            raise AddressRefused(SPECIAL.format(f"{ip}, to which {host} leads,"))
    return found
