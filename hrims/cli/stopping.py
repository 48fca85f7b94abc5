"""When ``hrims up`` is to stop: signals, and the end of the ``make`` that started it, come in; a flag
goes out.
"""

import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

LOOK = 0.2
"""Seconds between two looks at the children and the parent."""


class Stopped(BaseException):
    """A signal said so while the start was still under way."""


class Stopping:
    """Whether to stop. Until ``started()`` a signal raises Stopped, because a start can take long;
    after it, signals only set flags, so that nothing is left half done.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self.impatient = False
        self._asked = False
        self._started = False
        # Who gives make run's process id a signal means all of it.
        self._make = os.getppid() if "MAKELEVEL" in environ else None
        self._traps = _traps(self._make)

    def listen(self) -> None:
        """Listens for Ctrl-C, SIGTERM and a closed terminal; nohup's wish to outlive it is kept."""
        numbers = {signal.SIGINT, signal.SIGTERM}
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            numbers.add(signal.SIGHUP)
        for number in numbers:
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.impatient, self._asked = self._asked, True
        if not self._started:
            raise Stopped

    def started(self) -> None:
        """From here on there are children to stop in order."""
        self._started = True

    def wait(self) -> bool:
        """Waits a moment; returns whether to stop."""
        # Not an Event: a signal that arrives while the main thread holds its lock would hang both.
        if not self._asked:
            time.sleep(LOOK)
        self._asked = self._asked or self._make_gave_up()
        return self._asked

    def _make_gave_up(self) -> bool:
        """Make that is killed leaves us to another parent. Make that is told to stop puts the signals
        back as they were and waits for us in silence; SIGTERM alone it passes on.
        """
        if self._make is None:
            return False
        return os.getppid() != self._make or bool(self._traps and _traps(self._make) != self._traps)


def _traps(pid: int | None) -> str:
    """Which signals a process handles, as Linux tells it; empty where nobody tells."""
    if pid is None:
        return ""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line for line in lines if line.startswith("SigCgt:")), "")
