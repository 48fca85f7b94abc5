"""Asks for one record of a list: a page and a position on it are the input, the record's identity is the
output.
"""

from hrims.employees.digest import identity
from hrims.employees.mapping import Row, to_row
from hrims.errors import RemoteBadRequest, RemoteError, RemoteUnknown
from hrims.jobs.attempts.attempt import Stopping
from hrims.remote.wire import Page
from hrims.sync.retry import Retry
from hrims.sync.spans import Span
from hrims.sync.work import Reader


async def fetch_identity(
    reader: Reader, span: Span, position: int = 0, *, total: int | None = None
) -> int | None:
    """Return the identity of the record at this position (from 0) of a page.

    Return None where HRIMS gives no record there, or one that cannot be kept, after as many tries as a page
    has; and where the list is no longer ``total`` records long, so that positions have shifted. Raises
    RemoteError when asking again cannot help, Stopping when the worker is asked to stop.
    """
    retry = Retry(reader)
    while not reader.is_stopping():
        try:
            page = await reader.request(span)
        except (RemoteBadRequest, RemoteUnknown):
            return None
        except RemoteError as error:
            if not error.again:
                raise
            if not retry.may_repeat(error):
                return None
            await retry.pause(error)
        else:
            is_shifted = total is not None and page.total != total
            return None if is_shifted else identity_at(page, position)
    raise Stopping


def identity_at(page: Page, position: int) -> int | None:
    """Return the identity of the record at this position; None without a record that can be kept."""
    row = to_row(page.records[position]) if position < len(page.records) else None
    return identity(row) if isinstance(row, Row) else None
