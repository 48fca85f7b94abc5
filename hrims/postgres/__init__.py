"""Embedded PostgreSQL without set-up.

Input: a state directory. Output: a DSN of a running server.

`join()` starts the server if none runs, and keeps it running while this process lives. A guard process
(guard.py) restarts the server when it dies and stops it when it has no users left.
"""

from hrims.postgres.binaries import find_binaries
from hrims.postgres.server import Server, join

__all__ = ["Server", "find_binaries", "join"]
