"""PostgreSQL without set-up: a state directory comes in, a DSN of a running server goes out.

`join()` starts the server if none runs, and keeps it for as long as this process lives. A guard
beside the server (guard.py) starts it again when it dies and stops it when nobody is left.
"""

from hrims.postgres.binaries import find_binaries
from hrims.postgres.server import Server, join

__all__ = ["Server", "find_binaries", "join"]
