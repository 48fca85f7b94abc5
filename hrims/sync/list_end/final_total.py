"""The end of a list, requested while the last pages of a pass are in flight.

The request is sent when no page is left to request. Its response counts if it arrives after those of all
pages.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

from hrims.errors import RemoteError
from hrims.resilience import cancel_all
from hrims.sync.list_end.end import End


class FinalTotalProbe:
    """The last request of a pass, in flight beside its last pages."""

    def __init__(self, fetch_end: Callable[[], Awaitable[End]]) -> None:
        self._fetch_end = fetch_end
        self._probe: asyncio.Task[tuple[End, float]] | None = None
        self._probes: list[asyncio.Task[tuple[End, float]]] = []
        self._page_returned_at = 0.0

    def page_requested(self) -> None:
        """Cancel the probe because a further page is requested: it was not the last request."""
        if self._probe is not None:
            self._probe.cancel()
            self._probe = None

    def page_returned(self, *, is_exhausted: bool) -> None:
        """Note that HRIMS returned a page.

        Send the probe if ``is_exhausted``, that is, no page is left to request.
        """
        self._page_returned_at = time.monotonic()
        if is_exhausted and self._probe is None:
            self._probe = asyncio.create_task(self._fetch())
            self._probes.append(self._probe)

    async def end(self) -> End | None:
        """Return the end of the list if it came after the last page.

        Return None if it must be requested again.
        """
        if self._probe is None:
            return None
        with contextlib.suppress(RemoteError):
            end, returned_at = await self._probe
            return end if returned_at >= self._page_returned_at else None
        return None

    async def cancel(self) -> None:
        """Cancel all probes and their requests."""
        await cancel_all(self._probes)

    async def _fetch(self) -> tuple[End, float]:
        return await self._fetch_end(), time.monotonic()
