"""Stop requests for ``hrims up``.

Input: signals, and the end of the ``make`` that started it. Output: a flag.
"""

import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

CHECK_SECONDS = 0.2
"""Seconds between two checks of the children and the parent."""


class Stopped(BaseException):
    """A stop signal during the start of ``hrims up``."""


class Shutdown:
    """The state of a stop request.

    Until ``started()``, a signal raises Stopped, because a start can take long. After it, signals only set
    flags, so that nothing is left half done.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self.is_forced = False
        self._is_requested = False
        self._started = False
        # A signal that is sent to the process id of ``make run`` is meant for everything that it started.
        self._make = os.getppid() if "MAKELEVEL" in environ else None
        self._make_signals = _handled_signals(self._make)

    def listen(self) -> None:
        """Handle Ctrl-C, SIGTERM and a closed terminal.

        SIGHUP stays ignored if it was ignored before, as under ``nohup``.
        """
        signals = {signal.SIGINT, signal.SIGTERM}
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            signals.add(signal.SIGHUP)
        for number in signals:
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.is_forced, self._is_requested = self._is_requested, True
        if not self._started:
            raise Stopped

    def started(self) -> None:
        """From now on, let signals only set flags: there are children to stop in order."""
        self._started = True

    def wait(self) -> bool:
        """Wait briefly and return whether to stop."""
        # No threading.Event: a signal handler that runs while the main thread holds the lock of the event
        # would deadlock.
        if not self._is_requested:
            time.sleep(CHECK_SECONDS)
        self._is_requested = self._is_requested or self._has_make_stopped()
        return self._is_requested

    def _has_make_stopped(self) -> bool:
        """Return whether the ``make`` that started this process has ended or is stopping.

        If make is killed, this process gets another parent. If make is asked to stop, it restores its signal
        handlers and waits silently for this process. It passes on only SIGTERM.
        """
        if self._make is None:
            return False
        return os.getppid() != self._make or bool(
            self._make_signals and _handled_signals(self._make) != self._make_signals
        )


def _handled_signals(pid: int | None) -> str:
    """Return the signals that a process handles, as Linux reports them.

    The result is empty where this is not available.
    """
    if pid is None:
        return ""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line for line in lines if line.startswith("SigCgt:")), "")
