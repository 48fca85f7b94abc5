"""Asks for one page and refuses what cannot be the page that was asked for: a span comes in, a shaped page
goes out.
"""

from hrims.drift.tally import lacks_key
from hrims.errors import RemoteDrifted, RemoteRepeated
from hrims.sync import pages
from hrims.sync.pages import Asked
from hrims.sync.spans import Span
from hrims.sync.store import FIRST
from hrims.sync.work import Reader

FEW_NEIGHBOURS = 10
"""Records of a page without any key that are no sign of a renamed key, once others in this run had one."""

DRIFTED = (
    "HRIMS sent a page on which no record has the field zanIdNumber, by which people are known. HRIMS has "
    "probably renamed or moved it. Nothing of that page was saved. Tell the operator of HRIMS Sync."
)

Seen = dict[bytes, int]
"""Where each page of a reading begins, by the digest of its people."""


async def ask_page(reader: Reader, span: Span, seen: Seen, reading: int) -> Asked:
    """Ask for a page once. Raises RemoteError."""
    async with reader.slots.one():
        asked = await pages.ask(reader.remote, reader.attempt, span)
    # A few who have no ZanID can be neighbours; where others have one, HRIMS has not renamed it. A run that
    # asks again for the rejected reads little else than such neighbours.
    has_met_keys = bool(seen) or reading != FIRST
    few = has_met_keys and len(asked.page.records) < FEW_NEIGHBOURS
    if lacks_key(asked.page) and not few and reader.attempt.kind != "rejected":
        raise RemoteDrifted(DRIFTED)
    digest = asked.shaped.fingerprint
    if digest is not None and seen.setdefault(digest, span.start) != span.start:
        raise RemoteRepeated("HRIMS answered with a page that it had sent under another number.")
    return asked
