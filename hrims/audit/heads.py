"""Heads: the end of the chain, written outside the database. Input: the chain. Output: lines of a file.

An owner of the database can compute a whole chain again. The heads that a file has show it.
"""

import asyncio
import fcntl
import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from hrims.audit import store
from hrims.audit.store import Head
from hrims.config import Settings
from hrims.db import AsyncPool
from hrims.log import get_logger
from hrims.resilience import run_periodically

TAIL_BYTES: Final = 4096
"""Bytes at the end of the file that hold its last line."""

TOLERANCE: Final = 0.9
"""The part of the period within which another worker of this host has written the file."""

log = get_logger(__name__)


def path_of(settings: Settings) -> Path:
    """Return the file of heads."""
    return settings.audit_heads or settings.state_dir / "audit-heads.jsonl"


async def run_heads(pool: AsyncPool, settings: Settings) -> None:
    """Write the head to the file periodically until cancelled. Survives outages and a full disk."""
    path, seconds = path_of(settings), settings.audit_head_seconds
    await run_periodically("audit_heads", seconds, lambda: write_head(pool, path, seconds))


async def write_head(pool: AsyncPool, path: Path, seconds: float) -> None:
    """Append the head to the file, unless another process wrote it within ``seconds`` or nothing changed.

    Log an error if the chain has lost the last head of the file.
    """
    if await asyncio.to_thread(_is_fresh, path, seconds * TOLERANCE):
        return
    async with pool.connection() as conn:
        head, database = await store.find_head_async(conn), conn.info.dbname
        last = await asyncio.to_thread(read_last, path, database)
        if last and await store.find_hash_async(conn, last.sequence) != last.hash:
            log.error("audit_chain_rewritten", sequence=last.sequence, file=str(path))
    if head and head != last:
        await asyncio.to_thread(append, path, database, head)


def append(path: Path, database: str, head: Head) -> None:
    """Append a head to the file, which is created if it is missing. Only its owner can read it."""
    line = {
        "time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "database": database,
        "sequence": head.sequence,
        "hash": head.hash.hex(),
    }
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        # A full disk can have cut the last line off.
        separator = "" if _ends_with_newline(file) else "\n"
        os.write(file, f"{separator}{json.dumps(line)}\n".encode())
        os.fsync(file)
    finally:
        os.close(file)


def read(path: Path, database: str) -> Iterator[Head]:
    """Return the heads of a database in a file, in their order. Skip lines that are not whole.

    Raises OSError.
    """
    with path.open("rb") as lines:
        for line in lines:
            if head := _parse(line, database):
                yield head


def read_last(path: Path, database: str) -> Head | None:
    """Return the last head of a database in the last lines of a file; None if there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES))
            lines = file.read().splitlines()
    except FileNotFoundError:
        return None
    return next((head for line in reversed(lines) if (head := _parse(line, database))), None)


def _parse(line: bytes, database: str) -> Head | None:
    try:
        fields: dict[str, Any] = json.loads(line)
        if fields["database"] != database:
            return None
        return Head(int(fields["sequence"]), bytes.fromhex(fields["hash"]))
    except (ValueError, KeyError, TypeError):
        return None


def _is_fresh(path: Path, seconds: float) -> bool:
    try:
        return time.time() - path.stat().st_mtime < seconds
    except FileNotFoundError:
        return False


def _ends_with_newline(file: int) -> bool:
    size = os.fstat(file).st_size
    return size == 0 or os.pread(file, 1, size - 1) == b"\n"
