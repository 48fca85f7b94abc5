"""Requests one page, and refuses a response that cannot be the requested page.

Input: a span. Output: the mapped page.
"""

from hrims.drift.tally import lacks_key
from hrims.errors import RemoteDrifted, RemoteRepeated
from hrims.remote.wire import Page
from hrims.sync import pages
from hrims.sync.context import SyncContext
from hrims.sync.pages import FetchedPage
from hrims.sync.spans import Span
from hrims.sync.store import FIRST

MIN_NEIGHBOURS = 10
"""Records a page must have before missing keys are a sign of a renamed key, once this run has met a key."""

LIST_CHANGED = (
    "HRIMS sent a page on which no record has the field zanIdNumber, by which people are known. HRIMS has "
    "probably renamed or moved it. Nothing of that page was saved. Tell the operator of HRIMS Sync."
)

Seen = dict[bytes, int]
"""The start of each page of a pass, by the digest of its people."""


async def fetch_page(context: SyncContext, span: Span, seen: Seen, reading: int) -> FetchedPage:
    """Request a page once. Raises RemoteError."""
    async with context.slots.acquire():
        fetched = await pages.fetch(context.remote, context.attempt, span)
    # A run of kind "rejected" reads almost only records without a ZanID.
    if context.attempt.kind != "rejected":
        refuse_renamed_key(fetched.page, has_met_keys=bool(seen) or reading != FIRST)
    refuse_repeated_page(fetched.mapped.fingerprint, span, seen)
    return fetched


def refuse_renamed_key(page: Page, *, has_met_keys: bool) -> None:
    """Raise RemoteDrifted if no record of the page has a ZanID, because HRIMS has renamed the field.

    A few employees without a ZanID can be neighbours. If others have one, HRIMS has not renamed the field.
    """
    is_small = has_met_keys and len(page.records) < MIN_NEIGHBOURS
    if not is_small and lacks_key(page):
        raise RemoteDrifted(LIST_CHANGED)


def refuse_repeated_page(fingerprint: bytes | None, span: Span, seen: Seen) -> None:
    """Raise RemoteRepeated if HRIMS has sent the same people under another number. Otherwise add the page."""
    if fingerprint is not None and seen.setdefault(fingerprint, span.start) != span.start:
        raise RemoteRepeated("HRIMS answered with a page that it had sent under another number.")
