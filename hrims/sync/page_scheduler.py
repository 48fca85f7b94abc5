"""Chooses the next page to request. Pure: time and random source are arguments.

Input: responses and failures. Output: pages and pauses. ``cursor`` knows what is left, ``throttle`` how much
may be requested when, ``failure_policy`` what a failure means.
"""

from collections.abc import Iterable
from random import Random

from hrims.errors import RemoteError
from hrims.sync.cursor import Cursor, PageRequest
from hrims.sync.failure_policy import (
    CHECK_REMOTE_EVERY,
    FAULTY_PAGES,
    FailurePolicy,
    RemoteState,
    Verdict,
)
from hrims.sync.spans import Span
from hrims.sync.throttle import Throttle

__all__ = ["PageRequest", "PageScheduler"]


class PageScheduler:
    """The pages that one attempt at a run still has to request."""

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
        """Take ``saved``: ranges of positions not to request; ``total``: that of HRIMS, if known.
        At most ``at_once`` pages are requested at the same time. As many may be saved meanwhile, so that
        HRIMS does not wait for Postgres.
        """
        self.total = total
        self._at_once = at_once
        self._cursor = Cursor(saved)
        self._throttle = Throttle(
            page_size=page_size,
            at_once=at_once,
            first_pause=first_pause,
            is_listing_known=total is not None,
        )
        self._policy = FailurePolicy(tries)
        self._requested = self._saving = 0

    @property
    def size(self) -> int:
        """Records per page, for the next pages."""
        return self._throttle.size

    @property
    def window(self) -> float:
        """Pages that may be in flight now."""
        return self._throttle.window

    @property
    def remote_state(self) -> RemoteState:
        """What the pages of this attempt show about HRIMS."""
        return self._policy.state(self._throttle.failures)

    @property
    def should_check_remote(self) -> bool:
        """Whether it is time for a health check of HRIMS, once every few failures in a row.

        The check distinguishes pages that cannot be fetched from an HRIMS that is down.
        """
        failures = self._throttle.failures
        return failures > 0 and failures % CHECK_REMOTE_EVERY == 0

    def next_request(self, now: float) -> PageRequest | float | None:
        """Return the next page to request, the seconds to wait, or None.

        The wait ends early if a response comes; it is infinity if only a response can end it. None means that
        every page was saved or abandoned.
        """
        # Unsaved pages bound the memory, and the work that is lost if the worker is killed.
        unsaved = self._requested + self._saving
        if self._requested >= max(1, int(self.window)) or unsaved >= 2 * self._at_once:
            return float("inf")
        if now < self._throttle.paused_until:
            return self._throttle.paused_until - now
        if request := self._next_probe() or self._next_due(now) or self._next_new():
            self._requested += 1
            request.since = now
            return request
        if (due := self._cursor.next_due) is not None:
            return due - now
        return float("inf") if unsaved else None

    def _next_probe(self) -> PageRequest | None:
        """Return a new page before the first success, if there is a fault.

        Unlike a retry, a new page shows whether the fault is on all pages.
        """
        return self._next_new() if self._policy.has_fault else None

    def _next_due(self, now: float) -> PageRequest | None:
        while request := self._cursor.pop_due(now):
            if self.total is None or request.span.start < self.total:
                return request
            self._cursor.release(request.span.start, request.span.stop)
        return None

    def _next_new(self) -> PageRequest | None:
        if self.total is None:
            return self._cursor.first_page(self.size, self._policy.probes)
        if self._policy.has_fault and self._cursor.pages >= FAULTY_PAGES:
            # These pages show whether the fault is on all pages.
            return None
        return self._cursor.next_page(self.total, self.size)

    @property
    def is_exhausted(self) -> bool:
        """Whether every page has been requested, and none waits for a retry."""
        return self.total is not None and self._cursor.is_exhausted(self.total)

    def add_response(self, request: PageRequest, total: int) -> None:
        """Note that HRIMS returned the page and that it is being saved: another may be requested."""
        self._requested -= 1
        self._saving += 1
        self._policy.add_response()
        self._throttle.add_response()
        self.learn_total(total)

    def learn_total(self, total: int) -> None:
        """Set the length of the list. Once it is known, pages are requested at the same time."""
        if self.total is None:
            self._throttle.open()
        self.total = total

    def add_saved(self, request: PageRequest, records: int) -> None:
        """Note that the page that HRIMS returned, with so many records, was saved."""
        self._saving -= 1
        # Positions after the end hold no record yet. If the list grows, they are requested.
        self._cursor.release(request.span.start + records, request.span.stop)
        self._policy.add_saved(request, records)
        self._throttle.add_saved(request.span.size)

    def needs_confirmation(self, request: PageRequest) -> bool:
        """Return whether a page failed again while no new page is left to show that HRIMS responds."""
        is_tail = self.total is not None and not self._cursor.has_pages(self.total)
        is_responding = self._policy.responses > 0
        return is_tail and is_responding and request.is_unconfirmed and not request.is_suspect

    def add_confirmation(self) -> None:
        """Note that HRIMS returned an earlier page again: HRIMS itself is not the cause of the failures."""
        self._policy.add_response(is_page=False)
        self._throttle.add_response()

    def add_failure(self, request: PageRequest, error: RemoteError, now: float, rng: Random) -> bool:
        """Plan what follows a failure. Return whether the page cannot be fetched: a single record that fails
        every time, or a page of which HRIMS sends nothing usable.

        Raises the error if another request cannot help: RemoteUnreachable, unless HRIMS responds to other
        requests (then call ``split``), a permanent fault of all pages, or any error if no request succeeds.
        """
        self._requested -= 1
        self._policy.classify(request)
        self._throttle.add_failure(request, error)
        if not error.is_retryable or self.remote_state is RemoteState.FAILING:
            raise error
        self._throttle.back_off(request, error, now, rng)
        verdict = self._policy.decide(request, error, rounds=self._throttle.rounds, total=self.total)
        return self._apply(verdict, request, now, self._throttle.pause(request, error, now, rng))

    def split(self, request: PageRequest, error: RemoteError, now: float) -> bool:
        """Request a page that keeps failing in parts. Return whether it cannot be fetched.

        Raises the error as ``FailurePolicy.decide_split`` does.
        """
        return self._apply(self._policy.decide_split(request, error, self.total), request, now)

    def _apply(self, verdict: Verdict, request: PageRequest, now: float, pause: float = 0.0) -> bool:
        if verdict is Verdict.RETRY:
            self._cursor.retry(request, now + pause)
        elif verdict is Verdict.SHRINK:
            self._request_parts(request, request.span.parts(2), now + pause, request.page)
        elif verdict is Verdict.SPLIT:
            self._request_parts(request, request.span.parts(), now, request.first_page)
        return verdict is Verdict.ABANDON

    def _request_parts(
        self, request: PageRequest, parts: Iterable[Span], due: float, page: Span | None
    ) -> None:
        """Schedule smaller pages in place of ``request``. ``page`` is the page that kept failing."""
        for span in parts:
            if self.total is not None and span.start >= self.total:
                self._cursor.release(span.start, span.stop)
            else:
                self._cursor.retry(request.part(span, page), due)
