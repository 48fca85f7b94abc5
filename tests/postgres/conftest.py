"""A state directory that every account can reach, and the processes that use it."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hrims.postgres import join
from tests.postgres.kit import UNPRIVILEGED_UID, Kit, open_kit
from tests.postgres.processes import AS_ROOT, JoinedProcess, home_of, wait_until_stopped


@pytest.fixture
def folder() -> Iterator[Path]:
    """Provide an open folder: as root, pytest's own is closed for the server's account."""
    made = Path(tempfile.mkdtemp(prefix="hrims-pg-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def fresh(folder: Path) -> Path:
    """Return a state directory that does not exist yet."""
    return folder / "state"


@pytest.fixture(scope="session")
def state() -> Iterator[Path]:
    """Provide a state directory whose server has run before and does not run: it starts at once."""
    folder = Path(tempfile.mkdtemp(prefix="hrims-pg-"))
    folder.chmod(0o755)
    with join(folder / "state", fsync=False):
        pass
    wait_until_stopped(folder / "state")
    yield folder / "state"
    shutil.rmtree(folder)


@pytest.fixture
def hold(state: Path, folder: Path) -> Iterator[Callable[..., JoinedProcess]]:
    """Start processes that use the server; after the test all of it is ended and gone."""
    holders: list[JoinedProcess] = []
    states = {state}

    def start(where: Path = state, **options: Any) -> JoinedProcess:
        states.add(where)
        holders.append(JoinedProcess(where, **options))
        return holders[-1]

    yield start
    for holder in holders:
        holder.kill()
    for each in states:
        wait_until_stopped(each)
        _clear(each)


def _clear(state: Path) -> None:
    record = home_of(state) / "socket.json"
    if record.exists():
        shutil.rmtree(json.loads(record.read_text())["socket"], ignore_errors=True)
    if (state / "postgres.home").exists():
        shutil.rmtree(home_of(state))


@pytest.fixture(scope="session")
def kit() -> Iterator[Kit]:
    folder = Path(tempfile.mkdtemp(prefix="hrims-kit-"))
    folder.chmod(0o755)
    yield open_kit(folder)
    shutil.rmtree(folder)


@pytest.fixture
def ordinary(folder: Path, request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return what `hold` needs to hold as an ordinary user, also if root runs the tests."""
    if not AS_ROOT:
        return {}
    os.chown(folder, UNPRIVILEGED_UID, UNPRIVILEGED_UID)
    return {"uid": UNPRIVILEGED_UID, "kit": request.getfixturevalue("kit")}
