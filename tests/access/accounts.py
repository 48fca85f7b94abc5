"""What the tests of access share: who acts, what was recorded, and many threads at once."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from hrims.access.actor import system
from hrims.config import load
from hrims.db import Connection
from tests.support.encryption import KEY

ROOT = system("root")

PASSWORD = "a wet monsoon"

SETTINGS = load({"HRIMS_ENCRYPTION_KEY": KEY})

T = TypeVar("T")


def records(conn: Connection, action: str) -> list[tuple[object, ...]]:
    """Return actor, subject and details of the records of an action."""
    return conn.execute(
        "SELECT actor, subject, details FROM audit_log WHERE action = %s ORDER BY id", (action,)
    ).fetchall()


def at_once(many: int, action: Callable[[int], T]) -> list[T]:
    """Run an action in many threads that start together and return the results."""
    together = threading.Barrier(many)

    def begin(number: int) -> T:
        together.wait()
        return action(number)

    with ThreadPoolExecutor(many) as threads:
        return list(threads.map(begin, range(many)))
