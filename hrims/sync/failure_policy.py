"""What a failure of a page means: its tries, the error and what else was answered are the input; retry,
split or give up is the output. Pure.

What a record that breaks HRIMS costs, with p the chance that HRIMS fails a good page: a page of 100 is
split into five of 20, these into five of 4, these into single records. The failing ones are tried 3, 2, 2
and 6 times; the 4 + 4 + 3 good ones beside them 1 / (1 - p) times each. That is 13 + 11 / (1 - p), or 25
requests at p = 8 % and 29 at p = 30 %.

How sure the verdict is: a good record is called broken only where 6 requests for it alone fail by chance,
after its part of 4 failed twice. Beside a broken record that is p ** 6 for each of 3 neighbours: 1 in
1,000,000 verdicts at p = 8 %, 1 in 450 at p = 30 %. Where no record of the page is broken, it is p ** 13. A
page that is split although it is good (p ** 3) costs four requests more.
"""

import re
from collections import Counter, defaultdict

from hrims.errors import RemoteError, RemoteGarbled, RemoteShort, RemoteTimeout, RemoteTooLarge
from hrims.sync.cursor import Ask
from hrims.sync.throttle import SMALLEST

SUSPECT_AFTER = 2
"""Failures of a page after which the next ones say more about it than about HRIMS, if others were answered
since its first failure.
"""

SPLIT_AFTER = 3
"""Tries of a suspect page. Others get as many as the settings say."""

TRIES_OF_A_PART = 2
"""Tries of a part of a page that was split: the page has had the others."""

TRIES_OF_ONE = 6
"""Tries of a single record, after which it is called broken."""

IN_DOUBT = 2
"""Rounds of failures in a row (a round: as many as are in flight) after which pages that keep failing are
split early: where each holds a record that breaks HRIMS, only smaller ones can be answered.
"""

MOST_SPLITS = 200
"""Pages that one attempt splits at most, so that the cost of a failing HRIMS is bounded."""

HOPELESS = 40
"""Failures in a row, without any page answered between, after which HRIMS itself is the cause."""

DOUBTED = 8
"""Failures in a row, without any page answered between, after which HRIMS is asked whether it is there."""

EMPTY = 20
"""Answers in a row without records, all behind the last record that was met: from then on a page there is
requested once only. The total is most likely wrong; each page is requested all the same.
"""

FAULTY_PAGES = 3
"""Different pages with the same permanent fault, none answered, after which the attempt ends."""

FAULTS_OF_A_PAGE = 3
"""Times that each of them must have that fault: where 3 of 10 answers are garbled by chance, 9 in a row are
1 attempt in 50,000.
"""

TRIES_OF_A_FAULT = FAULTS_OF_A_PAGE + 2
"""Tries of a page with a permanent fault before it is split while no page was answered, at least: the others
are to have theirs first.
"""

PROBE_AFTER = 2
"""Failures of a first page after which the next page is requested too: it tells the total if only the first
page is broken, and shows whether a fault is everywhere.
"""


def is_suspect(ask: Ask, answers: int) -> bool:
    """Whether a failure of this page says more about the page than about HRIMS: it failed before, and HRIMS
    answered others since. ``answers`` are the pages that HRIMS has answered.
    """
    if ask.answers_before is None or answers <= ask.answers_before:
        return False
    return ask.earlier + ask.tries >= SUSPECT_AFTER


def tries_of(ask: Ask, page_tries: int, rounds: int) -> int:
    """Return how often this page is requested before it is split or given up."""
    if ask.span.size == 1:
        return TRIES_OF_ONE
    if ask.page or rounds >= IN_DOUBT:
        return TRIES_OF_A_PART
    return min(page_tries, SPLIT_AFTER) if ask.is_suspect else page_tries


def is_to_shrink(ask: Ask, error: RemoteError) -> bool:
    """Whether a smaller page may be answered, so that this one is not worth another request."""
    return isinstance(error, RemoteTimeout | RemoteTooLarge) and ask.span.size > SMALLEST


def is_permanent(ask: Ask, error: RemoteError) -> bool:
    """Whether a fault is in the form of the answer, so that asking again for the same page will not help."""
    if isinstance(error, RemoteTooLarge):
        return not is_to_shrink(ask, error)
    return isinstance(error, RemoteGarbled) and not isinstance(error, RemoteShort)


def is_empty(error: RemoteError) -> bool:
    """Whether HRIMS answered with no record at all where it counts some."""
    return isinstance(error, RemoteShort) and not error.had


class FaultTally:
    """Counts permanent faults until HRIMS answers a page."""

    def __init__(self) -> None:
        self._by_fault: defaultdict[str, Counter[int]] = defaultdict(Counter)

    def __bool__(self) -> bool:
        return bool(self._by_fault)

    def add(self, ask: Ask, error: RemoteError) -> bool:
        """Count a failure; return whether this fault is on so many pages that it is on all."""
        if not is_permanent(ask, error):
            return False
        # Numbers in a fault's text are those of its page.
        pages = self._by_fault[error.code + re.sub(r"[0-9,]+", "", str(error))]
        pages[(ask.page or ask.span).start] += 1
        # That small pages are too large is not a matter of chance.
        needed = 1 if isinstance(error, RemoteTooLarge) else FAULTS_OF_A_PAGE
        return sum(times >= needed for times in pages.values()) >= FAULTY_PAGES
