"""Connects only to IP addresses that HRIMS may have. Input: a host and a port. Output: a connection.

The name is resolved once, every address is checked, and the connection goes to one of them. So a name that
leads elsewhere a moment later (DNS rebinding) has no effect.
"""

import time
from collections.abc import Iterable

import httpcore

from hrims.addresses import Resolve, resolve
from hrims.remote.connection.addresses import resolve_allowed

Network = httpcore.AsyncNetworkBackend
"""Makes the connections of a client."""


class CheckedNetwork(httpcore.AnyIOBackend):
    """The network of a client whose address an administrator typed."""

    def __init__(self, look_up: Resolve = resolve) -> None:
        self._look_up = look_up

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is that of httpcore
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that accepts. Each gets its share of the time that is left.

        Raises AddressRefused if an address is refused.
        """
        until = time.monotonic() + (timeout or 60.0)
        try:
            addresses = await resolve_allowed(host, port, self._look_up)
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        while True:
            address, left = addresses.pop(0), until - time.monotonic()
            share = max(0.001, left / (len(addresses) + 1))
            try:
                return await super().connect_tcp(address, port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if not addresses:
                    raise


class PinnedNetwork(httpcore.AnyIOBackend):
    """A network whose every connection goes to one IP address, which was checked before."""

    def __init__(self, address: str) -> None:
        self._address = address

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is that of httpcore
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the IP address, whatever the host."""
        return await super().connect_tcp(self._address, port, timeout, local_address, socket_options)
