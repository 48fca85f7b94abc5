"""What follows from a run's end, in the transaction that ends it: the run, its outcome and the readings that
were counted come in.
"""

import os

from hrims import config
from hrims.db import AsyncConnection
from hrims.jobs.store import Attempt
from hrims.leavers import settle as leavers


async def settle(conn: AsyncConnection, attempt: Attempt, outcome: str, readings: tuple[int, ...]) -> None:
    """Draws the conclusions of a run that has just ended with ``outcome``."""
    await leavers.settle(conn, attempt, outcome, readings, config.load(os.environ))
