"""Asks for one record of a list: a page and a position on it are the input, the record's identity is the
output.
"""

import itertools
from random import Random

from hrims.employees.digest import identity
from hrims.employees.mapping import Row, to_row
from hrims.errors import RemoteBadRequest, RemoteError, RemoteUnknown
from hrims.jobs.attempts.attempt import Stopping
from hrims.remote.pace import pause
from hrims.sync.crew import sleep
from hrims.sync.spans import Span
from hrims.sync.work import Reader


async def fetch_identity(reader: Reader, span: Span, position: int = 0) -> int | None:
    """Return the identity of the record at this position (from 0) of a page.

    Return None where HRIMS gives no record there, or one that cannot be kept, after as many tries as a page
    has. Raises RemoteError when asking again cannot help, Stopping when the worker is asked to stop.
    """
    attempt, settings = reader.attempt, reader.settings
    for tries in itertools.count(1):
        if reader.is_stopping():
            raise Stopping
        try:
            async with reader.slots.one():
                page = await reader.remote.page(
                    attempt.identifier_type, attempt.identifier, span.number, span.size
                )
        except (RemoteBadRequest, RemoteUnknown):
            return None
        except RemoteError as error:
            if not error.again:
                raise
            if tries >= settings.page_tries:
                return None
            wait = pause(tries, settings.page_pause, error.retry_after, Random())  # noqa: S311 - jitter
            await sleep(wait, reader.is_stopping)
        else:
            row = to_row(page.records[position]) if position < len(page.records) else None
            return identity(row) if isinstance(row, Row) else None
    raise AssertionError("unreachable")
