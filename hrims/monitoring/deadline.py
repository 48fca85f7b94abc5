"""Runs a function in a thread for callers that do not wait longer than a deadline.

A query on a frozen database does not return, and no timeout of the database ends it.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class DeadlineReader(Generic[T]):
    """Calls a function once at a time. Callers that come while it runs share its result."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._lock = threading.Lock()
        self._pending: Future[T] | None = None

    def read(self, seconds: float) -> T:
        """Return the result of the function. Raises its errors, and TimeoutError after ``seconds``.

        The function continues after a timeout. Until it returns, no second call starts.
        """
        with self._lock:
            if self._pending is None or self._pending.done():
                self._pending = Future()
                threading.Thread(
                    target=self._run, args=(self._pending,), name="deadline", daemon=True
                ).start()
            pending = self._pending
        return pending.result(seconds)

    def _run(self, pending: Future[T]) -> None:
        try:
            pending.set_result(self._work())
        except BaseException as error:  # noqa: BLE001 - the caller gets it
            pending.set_exception(error)
