"""Heads in a file outside the database."""

import json
import os
from pathlib import Path
from random import Random

import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool

from hrims.audit import heads
from hrims.audit.store import Head
from hrims.audit.verification import verify_snapshot
from hrims.db import use_snapshot
from tests.audit import trail

FIRST, SECOND = Head(1, b"\1" * 32), Head(7, b"\2" * 32)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "heads.jsonl"


async def write(dsn: str, path: Path, seconds: float = 0.0) -> None:
    async with AsyncConnectionPool(dsn, min_size=1, open=False) as pool:
        await heads.write_head(pool, path, seconds)


def write_line(path: Path, database: str, head: Head, time: object) -> None:
    fields = {"time": time, "database": database, "sequence": head.sequence, "hash": head.hash.hex()}
    path.parent.mkdir()
    path.write_text(json.dumps(fields) + "\n")


def test_a_line_states_time_database_sequence_and_hash(path: Path) -> None:
    heads.append(path, "hrims", FIRST)
    line = json.loads(path.read_text())
    assert {**line, "time": ""} == {"time": "", "database": "hrims", "sequence": 1, "hash": "01" * 32}
    assert path.stat().st_mode & 0o777 == 0o600


def test_lines_are_only_added(path: Path) -> None:
    heads.append(path, "hrims", FIRST)
    first = path.read_text()
    heads.append(path, "hrims", SECOND)
    assert path.read_text().startswith(first)
    assert list(heads.read(path, "hrims")) == [FIRST, SECOND]
    assert heads.read_last(path, "hrims") == SECOND


def test_heads_of_another_database_are_left_out(path: Path) -> None:
    heads.append(path, "hrims", FIRST)
    heads.append(path, "other", SECOND)
    assert list(heads.read(path, "hrims")) == [FIRST]
    assert heads.read_last(path, "hrims") == FIRST


def test_a_line_that_was_cut_off_costs_no_other(path: Path) -> None:
    heads.append(path, "hrims", FIRST)
    os.truncate(path, path.stat().st_size - 9)
    heads.append(path, "hrims", SECOND)
    assert list(heads.read(path, "hrims")) == [SECOND]


@pytest.mark.parametrize("line", ["", "[]", "7", '{"database": "hrims", "sequence": 1, "hash": "x"}', "\xff"])
def test_other_lines_are_skipped(path: Path, line: str) -> None:
    heads.append(path, "hrims", FIRST)
    with path.open("ab") as file:
        file.write(line.encode("latin-1") + b"\n")
    assert list(heads.read(path, "hrims")) == [FIRST]


async def test_a_worker_writes_the_head_of_the_chain_once(
    conn: psycopg.Connection, dsn: str, path: Path
) -> None:
    await write(dsn, path)
    assert heads.read_last(path, conn.info.dbname) is None
    trail.chained(conn, Random(1), 5)
    await write(dsn, path)
    await write(dsn, path)
    assert list(heads.read(path, conn.info.dbname)) == [trail.head(conn)]
    trail.chained(conn, Random(2), 3)
    await write(dsn, path)
    assert [head.sequence for head in heads.read(path, conn.info.dbname)] == [5, 8]


async def test_workers_of_one_host_share_the_file(conn: psycopg.Connection, dsn: str, path: Path) -> None:
    trail.chained(conn, Random(1), 5)
    await write(dsn, path, 600)
    trail.chained(conn, Random(2), 3)
    await write(dsn, path, 600)
    assert [head.sequence for head in heads.read(path, conn.info.dbname)] == [5]


async def test_another_database_in_the_file_keeps_no_head_back(
    conn: psycopg.Connection, dsn: str, path: Path
) -> None:
    trail.chained(conn, Random(1), 3)
    heads.append(path, "other", FIRST)
    await write(dsn, path, 600)
    assert list(heads.read(path, conn.info.dbname)) == [trail.head(conn)]


def test_the_last_head_is_found_before_many_of_another_database(path: Path) -> None:
    heads.append(path, "hrims", FIRST)
    lines = path.read_text().replace("hrims", "other") * 2000
    with path.open("a") as file:
        file.write(lines)
    assert heads.read_last(path, "hrims") == FIRST
    assert heads.read_last(path, "unknown") is None


@pytest.mark.parametrize("time", ["", "yesterday", "2026-12-01T10:00:00", 7, None, "2999-01-01T00:00:00Z"])
async def test_a_line_with_a_wrong_time_keeps_no_head_back(
    conn: psycopg.Connection, dsn: str, path: Path, time: object
) -> None:
    [head, *_] = trail.chained(conn, Random(1), 3)
    write_line(path, conn.info.dbname, head, time)
    await write(dsn, path, 600)
    assert [head.sequence for head in heads.read(path, conn.info.dbname)] == [1, 3]


def test_a_head_that_is_written_meanwhile_is_no_finding(
    conn: psycopg.Connection, dsn: str, path: Path
) -> None:
    """Verification can take minutes, and workers write heads of what came after its snapshot."""
    database = conn.info.dbname
    trail.chained(conn, Random(6), 6)
    heads.append(path, database, trail.head(conn))
    found = heads.read(path, database)
    with conn.transaction():
        use_snapshot(conn)
        assert trail.head(conn).sequence == 6
        with psycopg.connect(dsn, autocommit=True) as other:
            trail.chained(other, Random(7), 3)
            heads.append(path, database, trail.head(other))
        result = verify_snapshot(conn, found)
    assert (result.finding, result.heads) == (None, 1)
