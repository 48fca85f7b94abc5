"""Retries one request until HRIMS responds.

Input: an error. Output: whether to request again, and a pause.
"""

import time
from random import Random

from hrims.errors import RemoteError
from hrims.log import get_logger
from hrims.remote.retry_after import backoff
from hrims.sync.context import SyncContext
from hrims.sync.fetcher import sleep
from hrims.sync.throttle import first_pause, is_overload

log = get_logger(__name__)


class Retry:
    """The failures of one request, which is not part of a pass or runs beside its pages."""

    def __init__(self, context: SyncContext, tries: int | None = None) -> None:
        """Create a retry. ``tries`` is the maximum number of requests, by default that of a page."""
        self._settings, self._is_stopping = context.settings, context.is_stopping
        self._limit = tries or context.settings.page_tries
        self._rng = Random()  # noqa: S311 - jitter
        self._requested = time.monotonic()
        self.failures = 0
        """Requests that failed and were repeated."""

    def may_repeat(self, error: RemoteError) -> bool:
        """Return whether to request again after this failure."""
        return error.is_retryable and self.failures + 1 < self._limit

    async def pause(self, error: RemoteError) -> None:
        """Wait before the next request. Raises ShutdownRequested if the worker is asked to stop."""
        self.failures += 1
        first = self._settings.page_pause
        if not is_overload(error, self.failures):
            first = first_pause(time.monotonic() - self._requested, first)
        seconds = backoff(self.failures, first, error.retry_after, self._rng)
        log.info(
            "remote_retried", code=error.code, status=error.status, ms=error.ms, seconds=round(seconds, 1)
        )
        await sleep(seconds, self._is_stopping)
        self._requested = time.monotonic()
