"""Files of the embedded server: only its account can read them."""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hrims.postgres import files
from tests.postgres.processes import JoinedProcess, home_of, query


@pytest.fixture
def no_umask() -> Iterator[None]:
    """Provide a process that restricts the modes of new files in no way."""
    before = os.umask(0)
    yield
    os.umask(before)


def test_a_file_is_created_for_its_owner_only(tmp_path: Path, no_umask: None) -> None:
    files.write(tmp_path / "socket.json", "{}")
    assert stat.S_IMODE((tmp_path / "socket.json").stat().st_mode) == 0o600


def test_no_file_of_a_running_server_can_be_read_by_others(
    hold: Callable[..., JoinedProcess], fresh: Path, no_umask: None
) -> None:
    query(hold(fresh, fsync=False).dsn, "CREATE TABLE people AS SELECT 'Asha' AS name")
    modes = {path: path.lstat().st_mode for path in home_of(fresh).rglob("*")}
    assert len(modes) > 100
    assert {path for path, mode in modes.items() if stat.S_ISREG(mode) and mode & 0o077} == set()
