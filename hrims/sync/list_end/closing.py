"""The end of a list, asked for while the last pages of a reading are in flight: the request is sent when no
page is left to request, and its answer counts if it comes after those of all pages.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

from hrims.errors import RemoteError
from hrims.steady import cancel_all
from hrims.sync.list_end.end import End


class Closing:
    """The last question of one reading, in flight beside its last pages."""

    def __init__(self, ask_end: Callable[[], Awaitable[End]]) -> None:
        self._ask_end = ask_end
        self._question: asyncio.Task[tuple[End, float]] | None = None
        self._asked: list[asyncio.Task[tuple[End, float]]] = []
        self._page_answered = 0.0

    def page_asked(self) -> None:
        """A further page is asked for: what was asked before it was not the last question."""
        if self._question is not None:
            self._question.cancel()
            self._question = None

    def page_answered(self, *, nothing_left: bool) -> None:
        """A page was answered; ``nothing_left`` when there is none left to ask for."""
        self._page_answered = time.monotonic()
        if nothing_left and self._question is None:
            self._question = asyncio.create_task(self._ask())
            self._asked.append(self._question)

    async def end(self) -> End | None:
        """Return the end of the list after the last page's answer; None when it has to be asked for."""
        if self._question is None:
            return None
        with contextlib.suppress(RemoteError):
            end, answered = await self._question
            return end if answered >= self._page_answered else None
        return None

    async def give_up(self) -> None:
        """Ask no more: the request of every question ends."""
        await cancel_all(self._asked)

    async def _ask(self) -> tuple[End, float]:
        return await self._ask_end(), time.monotonic()
