"""Uncaught errors. Input: an error that ends a process or a thread. Output: an event with its traceback."""

import sys
import threading
from types import TracebackType

from hrims.log.events import get_logger

log = get_logger(__name__)


def log_uncaught_errors() -> None:
    """Log the errors that end this process or one of its threads. Call it after ``configure``."""
    sys.excepthook = _log_end_of_process
    threading.excepthook = _log_end_of_thread


def _log_end_of_process(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    if isinstance(error, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)
    else:
        log.error("process_failed", exc_info=error)


def _log_end_of_thread(args: threading.ExceptHookArgs) -> None:
    name = args.thread.name if args.thread else None
    log.error("thread_failed", thread=name, exc_info=args.exc_value)
