"""Lines of the server's log. Input: a line. Output: its parts, without statements and values of rows."""

import re
from typing import Final, NamedTuple

PREFIX: Final = "%m [%p] (%b, %e) "
"""The start of each line: time, process id, kind of process, SQLSTATE. ``LINE`` reads it."""

LINE: Final = re.compile(
    r"(?:(?P<at>\S+ \S+ \S+) \[(?P<pid>\d+)\] \((?P<process>[^,)]*), (?P<sqlstate>\w{5})\) )?"
    r"(?P<severity>DEBUG\d?|INFO|NOTICE|WARNING|ERROR|LOG|FATAL|PANIC|[A-Z]+): +(?P<message>.*)"
)

SEVERITIES: Final = frozenset({"INFO", "NOTICE", "WARNING", "ERROR", "LOG", "FATAL", "PANIC"})
"""Severities of the server. Lines of other kinds, like DETAIL and STATEMENT, can repeat values of rows."""

STATEMENT: Final = re.compile(r"\b((?:statement|execute|parse|bind|parameters)\b[^:]*:).*")
"""A statement, or its parameters, in a message that an administrator's settings made the server write."""

SUCCESS: Final = "00000"


class ServerLine(NamedTuple):
    """A line of the server's log. Only ``message`` is known of lines before the server has its settings."""

    message: str | None
    severity: str | None = None
    process: str | None = None
    sqlstate: str | None = None
    at: str | None = None


def parse(line: str) -> ServerLine | None:
    """Return the parts of a line; None if it must not be shown, or says nothing."""
    if not line.strip() or line.startswith("\t"):
        return None
    found = LINE.fullmatch(line.rstrip())
    if found is None:
        return ServerLine(line.strip())
    severity, sqlstate = found["severity"], found["sqlstate"]
    if severity not in SEVERITIES:
        return None
    message = STATEMENT.sub(r"\1 …", found["message"])
    return ServerLine(
        # The message of an error can repeat a value, like one that is no number.
        message=None if severity == "ERROR" else message,
        severity=severity,
        process=found["process"],
        sqlstate=None if sqlstate == SUCCESS else sqlstate,
        at=found["at"],
    )
