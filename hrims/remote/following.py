"""A client of HRIMS that follows the connection. Input: a reader of it. Output: responses, as of any client.

New credentials and timeouts are used from the next request on. An attempt keeps the address with which it
began: its pages are parts of one list. If the address has changed when it fails, another attempt continues.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import psycopg
from psycopg_pool import PoolTimeout

from hrims.errors import RemoteCredentials, RemoteDown, RemoteError
from hrims.remote.client import Remote
from hrims.remote.connection.model import NO_ADDRESS, RemoteConnection
from hrims.remote.connection.network import CheckedNetwork, Network
from hrims.remote.connection.reader import ConnectionReader
from hrims.remote.link import Link
from hrims.resilience import raise_if_cancelled

T = TypeVar("T")

MOVED = "The address of HRIMS was changed. The run continues with the new one."


class FollowingRemote(Remote):
    """The client of one attempt, probe or check."""

    def __init__(self, reader: ConnectionReader, connection: RemoteConnection) -> None:
        """Create a client of a connection of the reader. Raises RemoteDown if it has no address."""
        if not connection.address:
            raise RemoteDown(connection.problem or NO_ADDRESS)
        super().__init__(connection.settings, network=network_of(connection))
        self._reader, self._connection = reader, connection
        self._replaced: list[Link] = []

    async def aclose(self) -> None:
        """Close every connection, also those that were replaced."""
        for link in [self._link, *self._replaced]:
            await link.aclose()

    async def has_moved(self) -> bool:
        """Return whether HRIMS has another address now than this client uses."""
        return (await self._refresh()).address != self.base_url

    async def _ask(self, operation: str, about: dict[str, Any], decode: Callable[[bytes], T]) -> T:
        self._follow(await self._reader.current())
        used = self._connection
        try:
            return await super()._ask(operation, about, decode)
        except RemoteCredentials:
            # The old credentials may have been withdrawn at the moment of the change.
            self._follow(await self._refresh())
            if self._connection is used:
                raise
        return await super()._ask(operation, about, decode)

    async def _refresh(self) -> RemoteConnection:
        try:
            return await self._reader.refresh()
        except (psycopg.Error, PoolTimeout):
            raise_if_cancelled()
            return self._connection

    def _follow(self, found: RemoteConnection) -> None:
        """Use the values of a connection from now on, if it has the same address."""
        if found == self._connection or found.address != self.base_url:
            return
        # Requests in flight end on the connections on which they began.
        self._replaced.append(self._link)
        self._link = Link(found.settings, self.base_url, network_of(found))
        self._connection, self.max_in_flight = found, found.settings.max_in_flight


def network_of(connection: RemoteConnection) -> Network | None:
    """Return the network that refuses special addresses, if the address comes from the page."""
    return CheckedNetwork() if connection.is_checked else None


async def raise_if_moved(remote: FollowingRemote, error: RemoteError) -> None:
    """Raise RemoteDown, which uses up no attempt, if the address was changed since the attempt began."""
    if not isinstance(error, RemoteDown) and await remote.has_moved():
        raise RemoteDown(MOVED) from error
