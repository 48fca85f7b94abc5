"""Details of failed requests, for the log.

Input: a request in progress. Output: its error, with the time and the HTTP status.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from hrims.errors import RemoteError


@contextmanager
def timed() -> Iterator[None]:
    """Note in a RemoteError of the block how long it took."""
    began = time.monotonic()
    try:
        yield
    except RemoteError as error:
        error.ms = round(1000 * (time.monotonic() - began))
        raise


@contextmanager
def with_status(status: int) -> Iterator[None]:
    """Note the HTTP status in a RemoteError of the block."""
    try:
        yield
    except RemoteError as error:
        error.status = status
        raise
