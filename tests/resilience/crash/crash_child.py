"""A worker that dies: ``python -m tests.resilience.crash.crash_child STEP N`` runs ``hrims worker``, and
kills it with SIGKILL when it comes to a step for the Nth time. The product has no seam for this: its
functions are wrapped.
"""

import contextvars
import functools
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import psycopg

from hrims.cli import main
from hrims.employees import store as employees
from hrims.jobs import job_manager
from hrims.jobs.attempts import attempt
from hrims.limits.slots import Slots
from hrims.remote import wire
from hrims.remote.client import Remote
from hrims.sync import pages, passes, reconcile, store

Target = tuple[Any, str, bool]
"""Where a function hangs, its name, and whether death comes before it (else after)."""

FUNCTIONS: dict[str, Target] = {
    "before the attempt": (attempt, "_begin", True),
    "attempt begun": (attempt, "_begin", False),
    "before a place is asked for": (Slots, "_acquire", True),
    "place taken": (Slots, "_acquire", False),
    "before the page is asked for": (Remote, "page", True),
    "answered": (wire, "decode_page", True),
    "decoded": (wire, "decode_page", False),
    "mapped": (pages, "map_page", False),
    "fence asked for": (store, "pipeline_attempt_check", False),
    "kept": (employees, "save_rows", False),
    "checkpoint written": (store, "add_page", False),
    "committed": (pages, "save", False),
    "before the total is read again": (passes, "fetch_end", True),
    "total read again": (passes, "fetch_end", False),
    "before the end": (reconcile, "finish", True),
    "end written": (store, "end", False),
    "ended": (reconcile, "finish", False),
    "before the job is finished": (job_manager.FencedJobManager, "finish_job", True),
    "job finished": (job_manager.FencedJobManager, "finish_job", False),
}

BEFORE_COMMIT = "before the commit"
"""The step at which everything of a page is written and nothing is kept yet."""

A_PAGE = [
    *("before a place is asked for", "place taken", "before the page is asked for", "answered", "decoded"),
    *("mapped", "fence asked for", "kept", "checkpoint written", BEFORE_COMMIT, "committed"),
]
"""The steps that every page takes; the others come once in a run."""

A_RUN = [name for name in FUNCTIONS if name not in A_PAGE]


def doom(step: str, nth: int) -> None:
    """Make this process die when it reaches ``step`` for the ``nth`` time."""
    if step == BEFORE_COMMIT:
        _doom_commit(nth)
        return
    holder, name, before = FUNCTIONS[step]
    setattr(holder, name, _doomed(getattr(holder, name), before, _Countdown(nth)))


class _Countdown:
    def __init__(self, nth: int) -> None:
        self.left = nth

    def __call__(self) -> None:
        self.left -= 1
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)


def _doomed(real: Callable[..., Any], before: bool, count: _Countdown) -> Callable[..., Any]:
    @functools.wraps(real)
    def called(*args: Any, **given: Any) -> Any:
        if before:
            count()
        result = real(*args, **given)
        if not before and not hasattr(result, "__await__"):
            count()
        return _awaited(result, count) if not before and hasattr(result, "__await__") else result

    return called


async def _awaited(result: Any, count: _Countdown) -> Any:
    value = await result
    count()
    return value


def _doom_commit(nth: int) -> None:
    """Count the commits of pages alone: others share the class."""
    in_a_page = contextvars.ContextVar("in_a_page", default=False)
    save_in, commit, count = pages._save_in, psycopg.AsyncConnection.commit, _Countdown(nth)

    async def save(*args: Any) -> None:
        in_a_page.set(True)
        await save_in(*args)
        in_a_page.set(False)

    async def commit_page(conn: Any) -> None:
        if in_a_page.get():
            count()
        await commit(conn)

    pages._save_in = save  # type: ignore[assignment] # the same arguments
    psycopg.AsyncConnection.commit = commit_page  # type: ignore[method-assign,assignment] # on purpose


if __name__ == "__main__":
    doom(sys.argv[1], int(sys.argv[2]))
    main(["worker"])
