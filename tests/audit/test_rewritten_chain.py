"""A chain that was written again stays visible until a person moves the file of heads away."""

from pathlib import Path
from random import Random

import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool

from hrims.audit import heads
from hrims.audit.store import Head
from hrims.audit.verification import verify
from hrims.config import Settings
from hrims.metrics import AUDIT_CHAIN_REWRITTEN
from hrims.monitoring.audit_checks import check_audit
from tests.audit import trail

LOST = Head(3, b"\1" * 32)


@pytest.fixture
def settings(conn: psycopg.Connection, tmp_path: Path) -> Settings:
    """Return the settings of a site whose chain was written again after record 3."""
    found = Settings(audit_heads=tmp_path / "heads.jsonl")
    trail.chained(conn, Random(1), 3)
    heads.append(heads.path_of(found), conn.info.dbname, LOST)
    return found


async def write(dsn: str, settings: Settings, seconds: float = 0.0) -> None:
    async with AsyncConnectionPool(dsn, min_size=1, open=False) as pool:
        await heads.write_head(pool, heads.path_of(settings), seconds)


def gauge() -> float:
    [sample] = next(iter(AUDIT_CHAIN_REWRITTEN.collect())).samples
    return sample.value


async def test_workers_log_it_every_time(
    conn: psycopg.Connection, dsn: str, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        trail.chained(conn, Random(2), 3)
        await write(dsn, settings)
    assert caplog.text.count("audit_chain_rewritten sequence=3") == 3


async def test_it_stays_visible_while_workers_go_on(
    conn: psycopg.Connection, dsn: str, settings: Settings
) -> None:
    for _ in range(3):
        trail.chained(conn, Random(2), 3)
        await write(dsn, settings)
        check = check_audit(conn, settings)
        assert (check.state, check.message.partition(", which")[0]) == (
            "amiss",
            "The audit chain has lost record 3",
        )
        result = verify(conn, heads.read(heads.path_of(settings), conn.info.dbname))
        assert result.finding
        assert result.finding.kind == "rewritten"
        assert gauge() == 1


async def test_new_heads_go_to_a_file_beside_it(
    conn: psycopg.Connection, dsn: str, settings: Settings
) -> None:
    path = heads.path_of(settings)
    before = path.read_bytes()
    written = []
    for _ in range(2):
        trail.chained(conn, Random(2), 3)
        written.append(trail.head(conn))
        await write(dsn, settings)
        await write(dsn, settings, 600)
    assert path.read_bytes() == before
    beside = heads.unconfirmed_path(path)
    assert beside.name == "heads.jsonl.unconfirmed"
    assert list(heads.read(beside, conn.info.dbname)) == written


async def test_workers_of_one_host_share_that_file(
    conn: psycopg.Connection, dsn: str, settings: Settings
) -> None:
    await write(dsn, settings)
    trail.chained(conn, Random(2), 3)
    path = heads.path_of(settings)
    age_of_the_first_file(path)
    await write(dsn, settings, 600)
    assert len(list(heads.read(heads.unconfirmed_path(path), conn.info.dbname))) == 1
    assert gauge() == 1


def age_of_the_first_file(path: Path) -> None:
    """Make the lines of the file old."""
    path.write_text(path.read_text().replace('"time": "2', '"time": "1'))


async def test_a_person_moves_the_file_and_a_new_one_begins(
    conn: psycopg.Connection, dsn: str, settings: Settings, tmp_path: Path
) -> None:
    await write(dsn, settings)
    path = heads.path_of(settings)
    for file in (path, heads.unconfirmed_path(path)):
        file.rename(tmp_path / f"evidence-{file.name}")
    await write(dsn, settings)
    assert list(heads.read(path, conn.info.dbname)) == [trail.head(conn)]
    assert not heads.unconfirmed_path(path).exists()
    assert check_audit(conn, settings).state == "ok"
    assert gauge() == 0
