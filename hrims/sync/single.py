"""Requests one record of a list. Input: a page and a position on it. Output: the identity of the record."""

from hrims.employees.digest import compute_identity
from hrims.employees.fields import Row
from hrims.employees.mapping import map_record
from hrims.errors import RemoteBadRequest, RemoteError, RemoteUnknown
from hrims.jobs.attempts.attempt import ShutdownRequested
from hrims.remote.wire import Page
from hrims.sync.context import SyncContext
from hrims.sync.retry import Retry
from hrims.sync.spans import Span


async def fetch_identity(
    context: SyncContext, span: Span, position: int = 0, *, total: int | None = None
) -> int | None:
    """Return the identity of the record at this position (from 0) of a page.

    Return None if, after as many tries as a page has, HRIMS returns no record there, or one that cannot be
    saved. Return None also if the list is no longer ``total`` records long, so that positions have shifted.
    Raises RemoteError if another request cannot help, ShutdownRequested if the worker is asked to stop.
    """
    retry = Retry(context)
    while not context.is_stopping():
        try:
            page = await context.request(span)
        except (RemoteBadRequest, RemoteUnknown):
            return None
        except RemoteError as error:
            if not error.is_retryable:
                raise
            if not retry.may_repeat(error):
                return None
            await retry.pause(error)
        else:
            is_shifted = total is not None and page.total != total
            return None if is_shifted else identity_at(page, position)
    raise ShutdownRequested


def identity_at(page: Page, position: int) -> int | None:
    """Return the identity of the record at this position; None without a record that can be saved."""
    row = map_record(page.records[position]) if position < len(page.records) else None
    return compute_identity(row) if isinstance(row, Row) else None
