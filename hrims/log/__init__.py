"""The log. Input: events with fields, and the records of libraries. Output: one line each on standard error.

The modules of HRIMS Sync log events; docs/reference/logs.md lists them. A line is text or JSON. It holds no
secret, no personal data and no text that could pass for another line.
"""

from hrims.log.events import Event, get_logger
from hrims.log.libraries import lower_expected_failures
from hrims.log.printed import log_printed_lines
from hrims.log.queue_command import configure_queue_command
from hrims.log.setup import INDENT, configure, make_formatter
from hrims.log.text import MASK, MAX_LENGTH, add_secret, cut, masked
from hrims.log.tracebacks import format_traceback
from hrims.log.uncaught import log_uncaught_errors

__all__ = [
    "INDENT",
    "MASK",
    "MAX_LENGTH",
    "Event",
    "add_secret",
    "configure",
    "configure_queue_command",
    "cut",
    "format_traceback",
    "get_logger",
    "log_printed_lines",
    "log_uncaught_errors",
    "lower_expected_failures",
    "make_formatter",
    "masked",
]
