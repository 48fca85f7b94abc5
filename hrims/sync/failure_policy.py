"""Decides what a page's failure means. Pure.

Input: its tries, the error, the responses to other pages. Output: retry, split or abandon.

Cost of a record that breaks HRIMS: Let p be the chance that HRIMS fails a good page. A page of 100 is split
into five of 20. A failing one of these is split into five of 4, and a failing one of those into single
records. The failing ones are tried 3, 2, 2 and 6 times. The 4 + 4 + 3 good ones beside them are tried 1 / (1
- p) times each. That is 13 + 11 / (1 - p), or 25 requests at p = 8 % and 29 at p = 30 %.

Certainty of the verdict: A good record is called broken only if its part of 4 failed twice and 6 requests for
it alone fail. Beside a broken record that is p ** 6 for each of 3 neighbours. That makes 1 in 1,000,000
verdicts at p = 8 %, and 1 in 450 at p = 30 %. If no record of the page is broken, it is p ** 13. A good page
that is split (p ** 3) costs four requests more.
"""

import re
from collections import Counter, defaultdict
from enum import Enum

from hrims.errors import (
    RemoteError,
    RemoteGarbled,
    RemoteLong,
    RemoteOtherPage,
    RemoteShort,
    RemoteTimeout,
    RemoteTooLarge,
    RemoteUnreachable,
)
from hrims.sync.cursor import PageRequest
from hrims.sync.throttle import MIN_PAGE_SIZE

SUSPECT_AFTER = 2
"""Failures of a page after which further ones indicate a broken page rather than a failing HRIMS. HRIMS must
have returned other pages since the first failure.
"""

SPLIT_AFTER = 3
"""Tries of a suspect page. Other pages get as many as the settings allow."""

TRIES_OF_A_PART = 2
"""Tries of a part of a split page. It needs fewer, because the whole page was tried before."""

TRIES_OF_A_RECORD = 6
"""Tries of a single record, after which it is called broken."""

ROUNDS_BEFORE_EARLY_SPLIT = 2
"""Rounds of failures in a row after which failing pages are split early. A round is as many failures as may
be in flight. If every page holds a record that breaks HRIMS, only smaller pages can succeed.
"""

MAX_SPLITS = 200
"""Maximum number of pages that one attempt splits, so that the cost of a failing HRIMS is bounded."""

MAX_FAILURES_IN_A_ROW = 40
"""Failures in a row, without a successful page between them, after which HRIMS itself is the cause."""

CHECK_REMOTE_EVERY = 8
"""Failures in a row, without a successful page between them, after which HRIMS' health is checked."""

MAX_EMPTY_PAGES = 20
"""Responses in a row without records, all after the last record that was found. From then on, each page there
is requested only once. The total is probably wrong; each page is requested all the same.
"""

FAULTY_PAGES = 3
"""Different pages with the same permanent fault after which the attempt ends, if no page has succeeded."""

FAULTS_OF_A_PAGE = 3
"""Times that each of these pages must have that fault. If 3 of 10 responses are garbled by chance, 9 in a row
happen in 1 of 50,000 attempts.
"""

TRIES_OF_A_FAULT = FAULTS_OF_A_PAGE + 2
"""Minimum tries of a page with a permanent fault before it is split, while no page has succeeded. The other
pages must have their tries first.
"""

PROBE_AFTER = 2
"""Failures of a first page after which the next page is requested too. If only the first page is broken, the
next one gives the total. It also shows whether a fault is on all pages.
"""


class RemoteState(Enum):
    """What the pages of an attempt show about HRIMS."""

    SILENT = "HRIMS has returned no page yet: a fault may be on every page"
    RESPONDING = "HRIMS returns pages"
    FAILING = "so many pages failed in a row that HRIMS itself is the cause"


class Verdict(Enum):
    """What follows the failure of a page."""

    RETRY = "request it again after a pause"
    SHRINK = "request its halves after a pause: a smaller page may succeed"
    SPLIT = "request its parts now: one of its records may break HRIMS"
    ABANDON = "it cannot be fetched"


class FailurePolicy:
    """Decides about the pages of one attempt that failed."""

    def __init__(self, tries: int) -> None:
        """Create a policy. ``tries`` is the number of requests for a page, from the settings."""
        self.responses = 0
        """Pages that HRIMS has returned."""
        self.probes = 1
        """Pages that may be requested while HRIMS has returned none."""
        self._tries = tries
        self._faults = FaultTally()
        self._splits = 0
        self._found_up_to = 0
        self._empty_in_a_row = 0
        self._misnumbered = set[int]()
        self._pages = 0

    def state(self, failures: int) -> RemoteState:
        """Return what ``failures`` in a row show about HRIMS."""
        if failures >= MAX_FAILURES_IN_A_ROW:
            return RemoteState.FAILING
        return RemoteState.RESPONDING if self.responses else RemoteState.SILENT

    @property
    def has_fault(self) -> bool:
        """Whether HRIMS has returned no page, and a response had a permanent fault."""
        return not self.responses and bool(self._faults)

    def add_response(self, *, is_page: bool = True) -> None:
        """Note that HRIMS returned a page. ``is_page`` is False if the pass has it already."""
        self.responses += 1
        self._pages += is_page

    def add_saved(self, request: PageRequest, records: int) -> None:
        """Note how many records a saved page held."""
        if records:
            self._found_up_to = max(self._found_up_to, request.span.start + records)
            self._empty_in_a_row = 0

    def classify(self, request: PageRequest) -> None:
        """Set whether the failure of this page indicates a broken page rather than a failing HRIMS.

        It does if the page failed before and HRIMS has returned other pages since.
        """
        before = request.responses_before
        has_responded_since = before is not None and self.responses > before
        request.is_suspect = has_responded_since and request.earlier + request.tries >= SUSPECT_AFTER

    def decide(self, request: PageRequest, error: RemoteError, *, rounds: int, total: int | None) -> Verdict:
        """Return what follows the failure of this page.

        ``rounds`` are rounds of failures in a row. ``total`` is that of HRIMS, if known. Raises the error if
        another request cannot help.
        """
        request.add_failure(self.responses)
        if not self.responses:
            self._add_fault(request, error)
        if self._is_behind_end(request, error):
            return Verdict.ABANDON
        if is_to_shrink(request, error):
            return Verdict.SHRINK
        if request.tries < self._tries_of(request, error, rounds):
            return Verdict.RETRY
        is_proven = request.is_suspect and (request.span.size == 1 or not request.is_unconfirmed)
        if isinstance(error, RemoteUnreachable) and not is_proven:
            raise error
        if self._is_unsplittable(request, error):
            return Verdict.ABANDON
        return self.decide_split(request, error, total)

    def decide_split(self, request: PageRequest, error: RemoteError, total: int | None) -> Verdict:
        """Return SPLIT for a page that keeps failing, or ABANDON if it cannot be fetched.

        That is so for a single record. It is also so if too many pages were split and HRIMS responds, but
        with nothing usable. Otherwise, if too many were split, raises the error. Raises it also for a single
        record if HRIMS never gave a total: then the missing records are unknown.
        """
        if self._splits >= MAX_SPLITS:
            if isinstance(error, RemoteGarbled):
                return Verdict.ABANDON
            raise error
        if request.span.size == 1:
            if total is None:
                raise error
            return Verdict.ABANDON
        self._splits += 1
        return Verdict.SPLIT

    def _add_fault(self, request: PageRequest, error: RemoteError) -> None:
        """Before the first success: raise a fault of all pages, or let the next pages be requested too."""
        if self._faults.add(request, error):
            raise type(error)(f"{error} {FAULTY_PAGES} pages had this fault, and none was answered.")
        needed = 1 if is_permanent(request, error) else PROBE_AFTER
        if request.tries >= needed and not isinstance(error, RemoteTimeout | RemoteUnreachable):
            self.probes = min(self.probes + 1, FAULTY_PAGES)

    def _is_behind_end(self, request: PageRequest, error: RemoteError) -> bool:
        is_behind = is_empty(error) and request.span.start >= self._found_up_to
        self._empty_in_a_row = self._empty_in_a_row + 1 if is_behind else 0
        return self._empty_in_a_row > MAX_EMPTY_PAGES

    def _tries_of(self, request: PageRequest, error: RemoteError, rounds: int) -> int:
        """Return how often this page is requested before it is split or abandoned."""
        if is_empty(error):
            return self._tries
        if request.page and isinstance(error, RemoteOtherPage):
            # The verdict need not be certain: the records count as missing, not as broken.
            return TRIES_OF_A_PART
        if request.span.size == 1:
            return TRIES_OF_A_RECORD
        if not self.responses and not request.page and is_permanent(request, error):
            return max(self._tries, TRIES_OF_A_FAULT)
        if request.page or rounds >= ROUNDS_BEFORE_EARLY_SPLIT:
            return TRIES_OF_A_PART
        return min(self._tries, SPLIT_AFTER) if request.is_suspect else self._tries

    def _is_unsplittable(self, request: PageRequest, error: RemoteError) -> bool:
        """Return whether smaller pages would fail in the same way.

        An empty page has nothing to split. If a part holds more records than requested, a smaller part would
        too.
        """
        is_too_small = isinstance(error, RemoteLong) and request.page is not None
        return is_empty(error) or is_too_small or self._is_misnumbered(request, error)

    def _is_misnumbered(self, request: PageRequest, error: RemoteError) -> bool:
        """Return whether HRIMS numbers its pages differently: at least two pages, and as many as were right,
        came with another page's number. A single such page may be the effect of a record.
        """
        if not isinstance(error, RemoteOtherPage):
            return False
        self._misnumbered.add(request.first_page.start)
        return len(self._misnumbered) >= max(2, self._pages)


def is_to_shrink(request: PageRequest, error: RemoteError) -> bool:
    """Return whether a smaller page may succeed, so that this one is not worth another request."""
    return isinstance(error, RemoteTimeout | RemoteTooLarge) and request.span.size > MIN_PAGE_SIZE


def is_permanent(request: PageRequest, error: RemoteError) -> bool:
    """Return whether the fault is in the form of the response, so that another request cannot help."""
    if isinstance(error, RemoteTooLarge):
        return not is_to_shrink(request, error)
    return isinstance(error, RemoteGarbled) and not isinstance(error, RemoteShort)


def is_empty(error: RemoteError) -> bool:
    """Return whether HRIMS returned no record at all although its total counts some there."""
    return isinstance(error, RemoteShort) and not error.had


class FaultTally:
    """A count of permanent faults, kept until HRIMS returns a page."""

    def __init__(self) -> None:
        self._by_fault: defaultdict[str, Counter[int]] = defaultdict(Counter)

    def __bool__(self) -> bool:
        return bool(self._by_fault)

    def add(self, request: PageRequest, error: RemoteError) -> bool:
        """Count a failure. Return whether its fault is on so many pages that it must be on all."""
        if not is_permanent(request, error):
            return False
        # The numbers in an error's message differ by page.
        pages = self._by_fault[error.code + re.sub(r"[0-9,]+", "", str(error))]
        pages[request.first_page.start] += 1
        # Small pages are not too large by chance.
        needed = 1 if isinstance(error, RemoteTooLarge) else FAULTS_OF_A_PAGE
        return sum(times >= needed for times in pages.values()) >= FAULTY_PAGES
