"""Repeats one request until HRIMS answers it: an error is the input; whether to request again, and a pause,
are the output.
"""

import time
from random import Random

from hrims.errors import RemoteError
from hrims.remote.pace import pause
from hrims.sync.crew import sleep
from hrims.sync.throttle import first_pause, is_overload
from hrims.sync.work import Reader, Work


class Retry:
    """The failures of one request, beside the pages of a pass or by itself."""

    def __init__(self, work: Work | Reader, tries: int | None = None) -> None:
        """``tries`` are the requests at most, those of a page by default."""
        self._settings, self._is_stopping = work.settings, work.is_stopping
        self._most = tries or work.settings.page_tries
        self._chance = Random()  # noqa: S311 - jitter
        self._requested = time.monotonic()
        self.failures = 0
        """Requests that failed and were repeated."""

    def may_repeat(self, error: RemoteError) -> bool:
        """Return whether to request again after this failure."""
        return error.again and self.failures + 1 < self._most

    async def pause(self, error: RemoteError) -> None:
        """Wait before the next request. Raises Stopping when the worker is asked to stop."""
        self.failures += 1
        first = self._settings.page_pause
        if not is_overload(error, self.failures):
            first = first_pause(time.monotonic() - self._requested, first)
        await sleep(pause(self.failures, first, error.retry_after, self._chance), self._is_stopping)
        self._requested = time.monotonic()
