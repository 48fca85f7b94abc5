"""The log of the embedded server as events. Input: the file that the server writes. Output: a file of events.

It remembers how far it has read, so that a restart of ``hrims up`` neither loses nor repeats a line.
"""

import logging
import threading
from logging import DEBUG, ERROR, INFO, WARNING
from pathlib import Path
from typing import Final

from hrims.cli.processes import LOG_BYTES, Rotating
from hrims.config import Settings
from hrims.log import get_logger, make_formatter
from hrims.postgres.log_lines import ServerLine, parse

READ_SECONDS: Final = 0.5
"""Seconds between two looks for new lines."""

MAX_BYTES: Final = 1_000_000
"""Maximum number of bytes that are read at a time."""

ROUTINE: Final = ("checkpoint ", "restartpoint ")
"""Beginnings of messages that the server writes every few minutes."""

ALARMING: Final = ("error", "fatal", "could not", "traceback")
"""Words that make a line an error which has no severity, like one of initdb."""

EXPECTED: Final = frozenset({"57P01", "57P03"})
"""States of sessions that end because the server stops, or that come while it starts."""

log = get_logger("postgres")


class ServerLog:
    """The thread that follows the server's log until it is stopped."""

    def __init__(self, settings: Settings, source: Path) -> None:
        self._source = source
        self._position_file = settings.state_dir / "postgres.position"
        self._position, self._rest = self._read_position(), b""
        self._stopping = threading.Event()
        _write_to(settings, settings.state_dir / "log" / "postgres.log")
        self._thread = threading.Thread(target=self._follow, name="server log", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Log the remaining lines and stop. Call it after the server has stopped."""
        self._stopping.set()
        self._thread.join()

    def _follow(self) -> None:
        is_last = False
        while not is_last:
            is_last = self._stopping.wait(READ_SECONDS)
            try:
                while self._read():
                    continue
            except OSError:
                # A full disk, or a removed state directory: the server's own log has the lines.
                continue

    def _read(self) -> bool:
        """Log new lines. Return whether there may be more."""
        if self._source.stat().st_size < self._position:
            self._position, self._rest = 0, b""  # it was emptied at its maximum size
        with self._source.open("rb") as file:
            file.seek(self._position)
            new = file.read(MAX_BYTES)
        *lines, self._rest = (self._rest + new).split(b"\n")
        for line in lines:
            if found := parse(line.decode(errors="replace")):
                _log_line(found)
        self._position += len(new)
        if new:
            self._position_file.write_text(str(self._position - len(self._rest)), encoding="ascii")
        return len(new) == MAX_BYTES

    def _read_position(self) -> int:
        try:
            return int(self._position_file.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return 0


def _write_to(settings: Settings, path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handler = Rotating(path, maxBytes=LOG_BYTES, backupCount=1, encoding="utf-8")
    handler.setFormatter(make_formatter(is_json=settings.log_format == "json"))
    logger = logging.getLogger("postgres")
    logger.propagate = False
    logger.handlers = [handler]


def _log_line(line: ServerLine) -> None:
    log.log(
        ERROR if _is_error(line) else WARNING if _is_warning(line) else DEBUG if _is_routine(line) else INFO,
        "postgres_log",
        severity=line.severity,
        sqlstate=line.sqlstate,
        process=line.process,
        message=line.message,
        at=line.at,
    )


def _is_error(line: ServerLine) -> bool:
    if line.severity is None:
        return any(word in (line.message or "").lower() for word in ALARMING)
    return line.severity == "PANIC" or (line.severity == "FATAL" and line.process == "postmaster")


def _is_warning(line: ServerLine) -> bool:
    # A fatal error of another process ends one session.
    return line.severity in {"WARNING", "ERROR", "FATAL"} and line.sqlstate not in EXPECTED


def _is_routine(line: ServerLine) -> bool:
    return line.severity is None or (line.message or "").startswith(ROUTINE)
