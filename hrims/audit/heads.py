"""Heads: the end of the chain, written outside the database. Input: the chain. Output: lines of a file.

An owner of the database can compute a whole chain again. The heads that a file has show it.
"""

import asyncio
import fcntl
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

from hrims.audit import store
from hrims.audit.store import Head
from hrims.config import Settings
from hrims.db import AsyncConnection, AsyncPool
from hrims.log import get_logger
from hrims.metrics import AUDIT_CHAIN_REWRITTEN
from hrims.resilience import run_periodically

BLOCK_BYTES: Final = 65536
"""Bytes that are read at once from the end of the file."""

TOLERANCE: Final = 0.9
"""The part of the period within which another worker of this host has written a head."""

log = get_logger(__name__)


class Line(NamedTuple):
    """A line of the file. ``time`` is None if it cannot be read."""

    head: Head
    time: datetime | None


def path_of(settings: Settings) -> Path:
    """Return the file of heads."""
    return settings.audit_heads or settings.state_dir / "audit-heads.jsonl"


def unconfirmed_path(path: Path) -> Path:
    """Return the file for heads of a chain that has lost the last head of the file ``path``."""
    return path.with_name(f"{path.name}.unconfirmed")


async def run_heads(pool: AsyncPool, settings: Settings) -> None:
    """Write the head to the file periodically until cancelled. Survives outages and a full disk."""
    path, seconds = path_of(settings), settings.audit_head_seconds
    await run_periodically("audit_heads", seconds, lambda: write_head(pool, path, seconds))


async def write_head(pool: AsyncPool, path: Path, seconds: float) -> None:
    """Append the head to the file, unless another process wrote one within ``seconds`` or nothing changed.

    If the chain has lost the last head of the file, log an error and write to the unconfirmed file instead.
    The file stays as it is, so that every later check finds the same until a person moves the file away.
    """
    async with pool.connection() as conn:
        database = conn.info.dbname
        last = await asyncio.to_thread(_read_last_line, path, database)
        is_rewritten = last is not None and await _is_lost(conn, last.head)
        AUDIT_CHAIN_REWRITTEN.set(is_rewritten)
        if last and is_rewritten:
            log.error("audit_chain_rewritten", sequence=last.head.sequence, file=str(path))
            path = unconfirmed_path(path)
            last = await asyncio.to_thread(_read_last_line, path, database)
        if last and _is_recent(last, seconds * TOLERANCE):
            return
        head = await store.find_head_async(conn)
        if head and (last is None or head != last.head):
            await asyncio.to_thread(append, path, database, head)


async def _is_lost(conn: AsyncConnection, head: Head) -> bool:
    return await store.find_hash_async(conn, head.sequence) != head.hash


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
    """Return the heads of a database that a file has now, in their order. Skip lines that are not whole.

    Heads that are appended later are left out: a snapshot that begins after this call may lack their records.

    Raises OSError.
    """
    return _read(path, database, path.stat().st_size)


def _read(path: Path, database: str, size: int) -> Iterator[Head]:
    with path.open("rb") as lines:
        for text in lines:
            size -= len(text)
            if size < 0:
                return
            if line := _parse(text, database):
                yield line.head


def read_last(path: Path, database: str) -> Head | None:
    """Return the last head of a database in a file; None if there is none. Raises OSError."""
    line = _read_last_line(path, database)
    return line.head if line else None


def _read_last_line(path: Path, database: str) -> Line | None:
    try:
        with path.open("rb") as file:
            lines = (_parse(text, database) for text in _read_backwards(file))
            return next(filter(None, lines), None)
    except FileNotFoundError:
        return None


def _read_backwards(file: BinaryIO) -> Iterator[bytes]:
    """Return the lines of a file from its end, without their line feeds."""
    end, rest = file.seek(0, os.SEEK_END), b""
    while end > 0:
        start = max(0, end - BLOCK_BYTES)
        file.seek(start)
        rest, *lines = (file.read(end - start) + rest).split(b"\n")
        yield from reversed(lines)
        end = start
    yield rest


def count_broken(path: Path) -> int:
    """Return how many lines of a file are no heads: cut off by a full disk, or altered. Raises OSError."""
    with path.open("rb") as lines:
        return sum(bool(text.strip()) and _parse_any(text) is None for text in lines)


def _parse(text: bytes, database: str) -> Line | None:
    found = _parse_any(text)
    return found[1] if found and found[0] == database else None


def _parse_any(text: bytes) -> tuple[str, Line] | None:
    """Return the database and the head of a line; None if it is not whole."""
    try:
        fields: dict[str, Any] = json.loads(text)
        head = Head(int(fields["sequence"]), bytes.fromhex(fields["hash"]))
        return str(fields["database"]), Line(head, _parse_time(fields.get("time")))
    except (ValueError, KeyError, TypeError):
        return None


def _parse_time(text: object) -> datetime | None:
    try:
        time = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return time if time.tzinfo else None


def _is_recent(line: Line, seconds: float) -> bool:
    # A time in the future, from a clock that was wrong, must not keep heads back.
    return line.time is not None and abs((datetime.now(UTC) - line.time).total_seconds()) < seconds


def _ends_with_newline(file: int) -> bool:
    size = os.fstat(file).st_size
    return size == 0 or os.pread(file, 1, size - 1) == b"\n"
