"""The saved connection: when it can be changed, what a process makes of it, and how a worker follows it."""

import asyncio
from pathlib import Path

import msgspec
import psycopg
import pytest

from hrims.config import load
from hrims.connection import actions
from hrims.connection.actions import ConnectionChange
from hrims.db import AsyncPool, Connection
from hrims.errors import Conflict, RemoteDown, RemoteUnreachable
from hrims.limits.slots import Slots
from hrims.remote.connection import reader as reader_module
from hrims.remote.connection.model import Source, StoredConnection, resolve_connection
from hrims.remote.connection.reader import ConnectionReader
from hrims.remote.connection.store import read_connection
from hrims.remote.following import FollowingRemote
from hrims.vault import Vault, store
from tests.database.connections import SETTINGS, change, prepare
from tests.support.databases import execute_as_owner
from tests.support.encryption import KEY, OTHER_KEY
from tests.support.secrets import dump, find_in
from tests.support.users import BINTI

ADDRESS, TOKEN = "https://hrims.example/api", "an-invented-token"


def test_a_change_can_wait_for_an_approval(conn: Connection) -> None:
    """It is stored as JSON, without a clear secret, and applied by another process later."""
    waiting = msgspec.json.encode(prepare(conn, address=ADDRESS, token=TOKEN))
    assert not find_in(waiting.decode(), TOKEN.encode())
    assert read_connection(conn) == StoredConnection()
    actions.apply_connection_change(conn, BINTI, msgspec.json.decode(waiting, type=ConnectionChange))
    found = resolve_connection(SETTINGS, read_connection(conn))
    assert (found.address, found.settings.token) == (ADDRESS, TOKEN)
    assert not find_in(dump(conn), TOKEN.encode())


def test_one_that_was_overtaken_is_refused(conn: Connection) -> None:
    first, second = prepare(conn, address=ADDRESS), prepare(conn, max_in_flight=9)
    actions.apply_connection_change(conn, BINTI, first)
    for late in (first, second):
        with pytest.raises(Conflict, match="Another user has changed the HRIMS"):
            actions.apply_connection_change(conn, BINTI, late)
    assert read_connection(conn).version == 1
    assert conn.execute("SELECT count(*) FROM audit_log").fetchone() == (1,)


def test_two_at_once_make_one_change(conn: Connection, dsn: str) -> None:
    both = [prepare(conn, address=f"{ADDRESS}/{n}") for n in range(2)]
    with psycopg.connect(dsn, autocommit=True) as other, conn.transaction():
        actions.apply_connection_change(conn, BINTI, both[0])
        other.execute("SET lock_timeout = '200ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            actions.apply_connection_change(other, BINTI, both[1])
    with pytest.raises(Conflict):
        actions.apply_connection_change(conn, BINTI, both[1])


def test_a_rotation_covers_the_credentials(conn: Connection) -> None:
    change(conn, address=ADDRESS, token=TOKEN)
    both = load({"HRIMS_ENCRYPTION_KEY": f"{OTHER_KEY},{KEY}"})
    with conn.transaction():
        assert store.rotate(conn, Vault(both)).rotated == 2
    for keys in (OTHER_KEY, f"{KEY},{OTHER_KEY}"):
        found = resolve_connection(load({"HRIMS_ENCRYPTION_KEY": keys}), read_connection(conn))
        assert found.settings.token == TOKEN
    lost = resolve_connection(SETTINGS, read_connection(conn))
    assert (lost.address, lost.settings.token) == ("", "")
    assert "cannot be decrypted" in str(lost.problem)


# What a process makes of it


def test_the_environment_comes_first_then_the_page_then_the_simulator(
    conn: Connection, tmp_path: Path
) -> None:
    (tmp_path / "simulator.url").write_text("http://127.0.0.1:9\n")
    environment = {"HRIMS_ENCRYPTION_KEY": KEY, "HRIMS_STATE_DIR": str(tmp_path)}
    found = resolve_connection(load(environment), read_connection(conn))
    assert (found.address, found.sources["base_url"]) == ("http://127.0.0.1:9", Source.SIMULATOR)
    assert found.sources["token"] is Source.MISSING
    assert found.sources["read_timeout"] is Source.DEFAULT
    change(conn, address=ADDRESS, token=TOKEN, read_timeout=5.0)
    found = resolve_connection(load(environment), read_connection(conn))
    assert (found.address, found.settings.token, found.settings.read_timeout) == (ADDRESS, TOKEN, 5.0)
    assert {found.sources[name] for name in ("base_url", "token", "read_timeout")} == {Source.PAGE}
    assert found.is_checked
    named = environment | {
        "HRIMS_BASE_URL": "http://10.0.0.7",
        "HRIMS_TOKEN": "t",
        "HRIMS_READ_TIMEOUT": "125",
    }
    found = resolve_connection(load(named), read_connection(conn))
    assert (found.address, found.settings.token, found.settings.read_timeout) == ("http://10.0.0.7", "t", 125)
    assert {found.sources[name] for name in ("base_url", "token", "read_timeout")} == {Source.ENVIRONMENT}
    assert not found.is_checked


def test_the_simulator_gets_no_credentials_of_the_page(conn: Connection, tmp_path: Path) -> None:
    change(conn, address=ADDRESS, token=TOKEN)
    change(conn, address=None)
    (tmp_path / "simulator.url").write_text("http://127.0.0.1:9\n")
    found = resolve_connection(
        load({"HRIMS_ENCRYPTION_KEY": KEY, "HRIMS_STATE_DIR": str(tmp_path)}), read_connection(conn)
    )
    assert (found.address, found.settings.token, found.problem) == ("http://127.0.0.1:9", "", None)


def test_another_address_of_the_environment_gets_no_credentials_of_the_page(conn: Connection) -> None:
    change(conn, address=ADDRESS, token=TOKEN)
    other = load({"HRIMS_ENCRYPTION_KEY": KEY, "HRIMS_BASE_URL": "https://other.example"})
    found = resolve_connection(other, read_connection(conn))
    assert (found.address, found.settings.token) == ("", "")
    assert "was saved for another address" in str(found.problem)


# How a worker follows it


async def test_a_reader_keeps_the_last_connection_while_the_database_is_away(
    conn: Connection, pool: AsyncPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_module, "POLL_SECONDS", 0.0)
    change(conn, address=ADDRESS, token=TOKEN)
    reader = ConnectionReader(pool, SETTINGS)
    assert (await reader.current()).address == ADDRESS
    change(conn, address=f"{ADDRESS}/v2")
    assert (await reader.current()).address == f"{ADDRESS}/v2"
    execute_as_owner(conn, "ALTER TABLE remote_connection RENAME TO away")
    assert (await reader.current()).address == f"{ADDRESS}/v2"


async def test_a_reader_asks_the_database_once_in_a_while(conn: Connection, pool: AsyncPool) -> None:
    reader = ConnectionReader(pool, SETTINGS)
    await reader.current()
    change(conn, address=ADDRESS)
    assert {(await reader.current()).address for _ in range(100)} == {""}, "it was read within two seconds"
    assert (await reader.refresh()).address == ADDRESS


async def test_a_worker_sends_nothing_to_an_address_that_the_page_may_not_name(
    conn: Connection, pool: AsyncPool
) -> None:
    """It may have got into the table otherwise, or its name leads there."""
    change(conn, address=ADDRESS)
    conn.execute("UPDATE remote_connection SET address = 'http://169.254.169.254/api'")
    reader = ConnectionReader(pool, SETTINGS)
    async with FollowingRemote(reader, await reader.refresh()) as remote:
        with pytest.raises(RemoteUnreachable, match="is an address that HRIMS cannot have"):
            await remote.check()


async def test_a_client_without_an_address_hands_the_run_back(pool: AsyncPool) -> None:
    reader = ConnectionReader(pool, SETTINGS)
    with pytest.raises(RemoteDown, match="No address of HRIMS is known"):
        FollowingRemote(reader, await reader.refresh())


async def test_a_lower_limit_holds_from_the_next_request_on(conn: Connection, pool: AsyncPool) -> None:
    limit = 3
    held, may_end, most = 0, asyncio.Event(), list[int]()

    async def ask(slots: Slots) -> None:
        nonlocal held
        async with slots.acquire():
            held += 1
            most.append(held)
            await may_end.wait()
            held -= 1

    async with Slots(pool, lambda: limit, 30) as slots:
        asking = [asyncio.create_task(ask(slots)) for _ in range(3)]
        while held < 3:  # noqa: ASYNC110 - the slots send no signal
            await asyncio.sleep(0.01)
        limit = 1
        may_end.set()
        await asyncio.gather(*asking)
        may_end.clear()
        most.clear()
        asking = [asyncio.create_task(ask(slots)) for _ in range(3)]
        while not most:  # noqa: ASYNC110 - the same
            await asyncio.sleep(0.01)
        looks = set[object]()
        while len(looks) < 3:  # the others look for a slot meanwhile
            looks |= {row for (row,) in conn.execute("SELECT seen_at FROM remote_waiters").fetchall()}
            await asyncio.sleep(0.01)
        assert (held, conn.execute("SELECT number FROM remote_slots").fetchall()) == (1, [(1,)])
        may_end.set()
        await asyncio.gather(*asking)
    assert max(most) == 1
