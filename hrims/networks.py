"""IP networks that count as one client. Pure."""

import ipaddress


def network_of(address: str) -> str:
    """Return the address, or its /64 of IPv6: a household has 2**64 addresses."""
    if ipaddress.ip_address(address).version == 4:
        return address
    return str(ipaddress.ip_network((address, 64), strict=False))
