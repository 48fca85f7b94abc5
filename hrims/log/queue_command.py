"""The log of Procrastinate's own command, ``procrastinate worker``.

The command imports the app and then calls ``logging.basicConfig``, which changes nothing once logging is
configured.
"""

import sys
from collections.abc import Callable

from hrims.config import Settings
from hrims.log.printed import log_printed_lines
from hrims.log.setup import configure
from hrims.log.uncaught import log_uncaught_errors


def configure_queue_command(settings: Callable[[], Settings]) -> None:
    """Configure logging if Procrastinate's own command imports the app to run a worker."""
    if "procrastinate.cli" in sys.modules and "worker" in sys.argv[1:]:
        configure(settings())
        log_printed_lines()
        log_uncaught_errors()
