"""Which page to request next, and what a failure means for the rest: answers and failures are the input;
pages, pauses and verdicts are the output. Pure: time and chance are arguments.

``cursor`` knows what is left, ``throttle`` how much may be asked when, ``failure_policy`` what a failure
means.
"""

from collections.abc import Iterable
from random import Random

from hrims.errors import (
    RemoteError,
    RemoteGarbled,
    RemoteLong,
    RemoteOtherPage,
    RemoteTimeout,
    RemoteUnreachable,
)
from hrims.sync import failure_policy as policy
from hrims.sync.cursor import Ask, Cursor
from hrims.sync.spans import Span
from hrims.sync.throttle import Throttle

__all__ = ["Ask", "Plan"]


class Plan:
    """The pages of one attempt at a run that are still to come."""

    def __init__(
        self,
        *,
        page_size: int,
        tries: int,
        first_pause: float,
        at_once: int,
        saved: Iterable[tuple[int, int]] = (),
        total: int | None = None,
    ) -> None:
        """``saved`` are stretches of positions that need not be asked for; ``total`` is the remote's,
        None before its first answer. ``at_once`` pages are asked for at the same time at most, beside
        as many that are being saved, so that HRIMS waits for no Postgres.
        """
        self.total = total
        self._tries, self._at_once = tries, at_once
        self._cursor = Cursor(saved)
        self._throttle = Throttle(
            page_size=page_size,
            at_once=at_once,
            first_pause=first_pause,
            is_listing_known=total is not None,
        )
        self._faults = policy.FaultTally()
        self._answers = 0
        self._asked = self._saving = 0
        self._first_pages = 1
        self._splits = 0
        self._met_up_to = 0
        self._empty = 0
        self._pages = 0
        self._misnumbered = set[int]()

    @property
    def size(self) -> int:
        """Records of the next pages."""
        return self._throttle.size

    @property
    def window(self) -> float:
        """Pages that may be in flight now."""
        return self._throttle.window

    @property
    def hopeless(self) -> bool:
        """Whether so many failed in a row that the remote itself is the trouble."""
        return self._throttle.failures >= policy.HOPELESS

    @property
    def doubted(self) -> bool:
        """Whether, once every few failures in a row, the remote should be asked something else: that tells
        pages that cannot be had from a remote that is not there.
        """
        failures = self._throttle.failures
        return failures > 0 and failures % policy.DOUBTED == 0

    def take(self, now: float) -> Ask | float | None:
        """The next page to ask for; or the seconds to wait unless an answer comes first (none known:
        infinity); or None when every page has been answered or given up.
        """
        # What a kill costs, and the memory, are bounded by the pages that are not saved yet.
        open_now = self._asked + self._saving
        if self._asked >= max(1, int(self.window)) or open_now >= 2 * self._at_once:
            return float("inf")
        if now < self._throttle.quiet_until:
            return self._throttle.quiet_until - now
        if ask := self._probe() or self._due(now) or self._fresh():
            self._asked += 1
            ask.since = now
            return ask
        if (due := self._cursor.next_due) is not None:
            return due - now
        return float("inf") if open_now else None

    def _probe(self) -> Ask | None:
        """Before the first answer, prefer a new page to a retry: it shows whether a fault is everywhere."""
        return self._fresh() if self._answers == 0 and self._faults else None

    def _due(self, now: float) -> Ask | None:
        while ask := self._cursor.pop_due(now):
            if self.total is None or ask.span.start < self.total:
                return ask
            self._cursor.release(ask.span.start, ask.span.stop)
        return None

    def _fresh(self) -> Ask | None:
        if self.total is None:
            return self._cursor.first_page(self.size, self._first_pages)
        if self._answers == 0 and self._faults and self._cursor.pages >= policy.FAULTY_PAGES:
            # These pages show whether the fault is everywhere.
            return None
        return self._cursor.next_page(self.total, self.size)

    @property
    def nothing_left(self) -> bool:
        """Whether every page has been asked for, and none waits to be asked for again."""
        return self.total is not None and self._cursor.is_exhausted(self.total)

    def received(self, ask: Ask, total: int) -> None:
        """The page was answered and is being saved: another may be asked for."""
        ask.received = True
        self._asked -= 1
        self._saving += 1
        self._answers += 1
        self._pages += 1
        self._throttle.answered()
        self.learn_total(total)

    def learn_total(self, total: int) -> None:
        """Set the length of the list: from the first time on, pages are requested at the same time."""
        if self.total is None:
            self._throttle.open()
        self.total = total

    def answered(self, ask: Ask, records: int, total: int) -> None:
        """The page was answered with so many records, and saved."""
        if not ask.received:
            self.received(ask, total)
        self._saving -= 1
        # Positions behind the end hold no record yet: should the list grow, they are requested.
        self._cursor.release(ask.span.start + records, ask.span.stop)
        if records:
            self._met_up_to = max(self._met_up_to, ask.span.start + records)
            self._empty = 0
        self._throttle.saved(ask.span.size)

    def is_to_confirm(self, ask: Ask) -> bool:
        """Whether a page failed again when no further page is left whose answer would show that HRIMS is
        there.
        """
        is_tail = self.total is not None and not self._cursor.has_pages(self.total)
        return is_tail and self._answers > 0 and ask.is_unconfirmed and not ask.is_suspect

    def confirmed(self) -> None:
        """HRIMS answered a page that it had answered before: what fails now is not HRIMS itself."""
        self._answers += 1
        self._throttle.answered()

    def failed(self, ask: Ask, error: RemoteError, now: float, rng: Random) -> bool:
        """Plan what follows a failure. Return True when the page cannot be had: a single record that fails
        every time, or one of which HRIMS sends nothing that can be used.

        Raise the error when asking again cannot help, or has not: RemoteUnreachable, unless HRIMS is there
        for other questions (then ``split``); a permanent fault of all pages; any error when nothing else is
        answered.
        """
        self._asked -= 1
        ask.is_suspect = policy.is_suspect(ask, self._answers)
        self._throttle.failed(ask, error)
        if not error.again or self.hopeless:
            raise error
        self._note_failure(ask)
        if self._answers == 0:
            self._note_fault(ask, error)
        self._throttle.be_quiet(ask, error, now, rng)
        if self._is_behind_the_end(ask, error):
            return True
        retry_at = now + self._throttle.pause(ask, error, now, rng)
        if policy.is_to_shrink(ask, error):
            self._request(ask, ask.span.parts(2), retry_at, ask.page)
        elif ask.tries < self._tries_of(ask, error):
            self._cursor.retry(ask, retry_at)
        else:
            return self._split_or_raise(ask, error, now)
        return False

    def _note_failure(self, ask: Ask) -> None:
        ask.tries += 1
        ask.is_unconfirmed = ask.answers_at_last_failure == self._answers
        ask.answers_at_last_failure = self._answers
        if ask.answers_before is None:
            ask.answers_before = self._answers

    def _note_fault(self, ask: Ask, error: RemoteError) -> None:
        """Before the first answer: raise a fault that all pages have; let the next pages be requested too."""
        if self._faults.add(ask, error):
            raise type(error)(f"{error} {policy.FAULTY_PAGES} pages had this fault, and none was answered.")
        needed = 1 if policy.is_permanent(ask, error) else policy.PROBE_AFTER
        if ask.tries >= needed and not isinstance(error, RemoteTimeout | RemoteUnreachable):
            self._first_pages = min(self._first_pages + 1, policy.FAULTY_PAGES)

    def _is_behind_the_end(self, ask: Ask, error: RemoteError) -> bool:
        is_behind = policy.is_empty(error) and ask.span.start >= self._met_up_to
        self._empty = self._empty + 1 if is_behind else 0
        return self._empty > policy.EMPTY

    def _tries_of(self, ask: Ask, error: RemoteError) -> int:
        if policy.is_empty(error):
            return self._tries
        if ask.page and isinstance(error, RemoteOtherPage):
            # No verdict follows that needs to be sure: the records are missing, and not called broken.
            return policy.TRIES_OF_A_PART
        is_whole = not ask.page and ask.span.size > 1
        if self._answers == 0 and is_whole and policy.is_permanent(ask, error):
            return max(self._tries, policy.TRIES_OF_A_FAULT)
        return policy.tries_of(ask, self._tries, self._throttle.rounds)

    def _split_or_raise(self, ask: Ask, error: RemoteError, now: float) -> bool:
        is_there = ask.is_suspect and (ask.span.size == 1 or not ask.is_unconfirmed)
        if isinstance(error, RemoteUnreachable) and not is_there:
            raise error
        # Where nothing at all is answered each time, there is nothing to split; and where a part holds more
        # records than asked for, a smaller one would as well.
        is_too_small = isinstance(error, RemoteLong) and ask.page is not None
        if policy.is_empty(error) or is_too_small or self._is_misnumbered(ask, error):
            return True
        return self.split(ask, error, now)

    def _is_misnumbered(self, ask: Ask, error: RemoteError) -> bool:
        """Return whether HRIMS numbers its pages in another way, and so smaller pages too: it does where it
        answers as few pages with their own number as with another one. A record may break a single page so.
        """
        if not isinstance(error, RemoteOtherPage):
            return False
        self._misnumbered.add((ask.page or ask.span).start)
        return len(self._misnumbered) >= max(2, self._pages)

    def split(self, ask: Ask, error: RemoteError, now: float) -> bool:
        """Request a page that keeps failing in parts. Return True when it cannot be had: a single record,
        or too many were split and HRIMS answers, but with nothing that can be used.

        Raise the error when too many were split, or nothing was ever answered.
        """
        if self._splits >= policy.MOST_SPLITS:
            if isinstance(error, RemoteGarbled):
                return True
            raise error
        if ask.span.size == 1:
            if self.total is None:
                # Of a listing that never told its total, the missing records are unknown.
                raise error
            return True
        self._splits += 1
        self._request(ask, ask.span.parts(), now, ask.page or ask.span)
        return False

    def _request(self, ask: Ask, parts: Iterable[Span], due: float, page: Span | None = None) -> None:
        """Schedule smaller pages in place of ``ask``; ``page`` is the one that kept failing, if one did."""
        for span in parts:
            if self.total is not None and span.start >= self.total:
                self._cursor.release(span.start, span.stop)
            else:
                earlier = ask.earlier + ask.tries
                part = Ask(span, page, earlier=earlier, answers_before=ask.answers_before)
                self._cursor.retry(part, due)
