"""Work that takes its time to end when it is cancelled, as what writes to a slow database does."""

import asyncio
import contextlib


class SlowToCancel:
    """Works until it is cancelled, and then until it may end, however often it is cancelled again."""

    def __init__(self) -> None:
        self.begun, self.cancelled, self.may_end = (asyncio.Event() for _ in range(3))
        self.ended = False

    async def run(self) -> None:
        """Do the work."""
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled.set()
            while not self.may_end.is_set():
                with contextlib.suppress(asyncio.CancelledError):
                    await self.may_end.wait()
            self.ended = True
