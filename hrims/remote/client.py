"""Client of HRIMS. Input: an identifier and a page number. Output: a page, or one RemoteError.

``link`` sends the requests.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import msgspec

from hrims import tracing
from hrims.config import Settings
from hrims.errors import RemoteBadRequest, RemoteUnknown
from hrims.metrics import measure_remote
from hrims.remote import wire
from hrims.remote.connection.network import Network
from hrims.remote.error_details import timed, with_status
from hrims.remote.link import Link

T = TypeVar("T")

OPERATIONS: Final = {"votecode": "204", "tin": "205"}
UNKNOWN_ZAN_ID: Final = "000000000"
"""A well-formed ZanID that no employee has. A request for it is the cheapest one."""


class Remote:
    """A client of HRIMS with one pool of keep-alive connections. Use it as an async context manager."""

    def __init__(
        self, settings: Settings, *, base_url: str | None = None, network: Network | None = None
    ) -> None:
        """Create the client. ``base_url`` overrides the one of the settings.

        ``network`` makes its connections. Raises ConfigError if no address is usable.
        """
        self.base_url = base_url or settings.base_url or ""
        """The base URL of HRIMS, as given."""
        self.max_in_flight = settings.max_in_flight
        """The maximum number of requests in flight, over all workers."""
        self._link = Link(settings, base_url or settings.base_url, network)

    def __repr__(self) -> str:
        return f"Remote({self._link.url})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection."""
        await self._link.aclose()

    async def page(self, identifier_type: str, identifier: str, number: int, size: int) -> wire.Page:
        """Return page ``number`` (from 0) of ``size`` employees of a vote code or TIN.

        ``identifier_type`` is ``votecode`` or ``tin``. Raises RemoteError.
        """
        about = {"PageNumber": number, "PageSize": size, "RequestBody": identifier}
        with self._measured(identifier_type, page=number, size=size):
            return await self._ask(
                OPERATIONS[identifier_type], about, partial(wire.decode_page, number=number, size=size)
            )

    async def all_employees(self, number: int, size: int) -> wire.Page:
        """Return page ``number`` (from 0) of ``size`` employees of all institutions. Raises RemoteError."""
        about = {"PageNumber": number, "PageSize": size}
        return await self._ask("201", about, partial(wire.decode_page, number=number, size=size))

    async def person(self, key: str) -> wire.Person | wire.Unreadable:
        """Return the employee with the payroll number or ZanID ``key``. Raises RemoteError."""
        with self._measured("person"):
            return await self._ask("202", {"RequestBody": key}, wire.decode_person)

    async def check(self) -> None:
        """Request an unknown employee. Return if HRIMS responds and accepts the credentials.

        Raises RemoteError otherwise.
        """
        with self._measured("check"):
            answer = await self._ask("202", {"RequestBody": UNKNOWN_ZAN_ID}, bytes)
            with suppress(RemoteUnknown, RemoteBadRequest):
                wire.decode_person(answer)

    @contextmanager
    def _measured(self, operation: str, **about: int) -> Iterator[None]:
        """Measure a request, and make a span of it."""
        with measure_remote(operation), tracing.span(f"HRIMS {operation}", "CLIENT", None, **about):
            yield

    async def _ask(self, operation: str, about: dict[str, Any], decode: Callable[[bytes], T]) -> T:
        request = msgspec.json.encode({"RequestId": operation, "RequestPayloadData": about})
        with timed():
            status, answer = await self._link.send(request)
            with with_status(status):
                return decode(answer)
