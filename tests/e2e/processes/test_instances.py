"""A command in a second terminal finds the instance of its checkout, or says which one runs."""

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import PROJECT
from tests.e2e.processes.product import HRIMS, Product, copy_state, env_of, run, state_folder

PARTS = ("hrims", "migrations", "templates", "static")

SECRET = "hidden-password-of-a-test"


@pytest.fixture
def checkout() -> Iterator[Path]:
    """Provide a checkout of its own, whose default state directory no other test uses."""
    with state_folder() as folder:
        folder.mkdir(mode=0o711)
        for part in PARTS:
            shutil.copytree(PROJECT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(PROJECT / "app.py", folder)
        yield folder


def terminal(checkout: Path, **given: str) -> dict[str, str]:
    """Return the environment of a second terminal, which names no database unless ``given`` does."""
    env = {**env_of(checkout), "PYTHONPATH": str(checkout), **given}
    if "HRIMS_STATE_DIR" not in given:
        del env["HRIMS_STATE_DIR"]
    return env


def refused(checkout: Path, *words: str, **given: str) -> str:
    """Return what a command says that is refused and makes no database."""
    done = run(*words, env=terminal(checkout, **given), stdin="a dry monsoon\n")
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stderr
    assert not (checkout / ".hrims" / "postgres").exists()
    assert not (checkout / ".hrims" / "postgres.home").exists()
    return done.stdout + done.stderr


def exported(said: str) -> dict[str, str]:
    """Return the settings that the lines to type would set."""
    lines = [line.strip().removeprefix("export ") for line in said.splitlines() if "export " in line]
    return dict(line.split("=", 1) for line in lines[:1])


def test_a_second_terminal_is_told_which_instance_runs(
    checkout: Path, migrated: Path, tmp_path: Path
) -> None:
    product = Product(migrated, PYTHONPATH=str(checkout)).up()
    assert exported(product.output) == {"HRIMS_STATE_DIR": str(migrated)}
    for command in (("token", "add", "machine"), ("migrate",), ("db", "url"), ("worker",), ("doctor",)):
        said = refused(checkout, *command)
        assert f"{product.address} (process {product.process.pid})" in said
        # A line of its own, so that it can be copied.
        assert f"export HRIMS_STATE_DIR={migrated}" in [line.strip() for line in said.splitlines()]
    said = refused(checkout, "sync", "--vote", "001", HRIMS_STATE_DIR=str(tmp_path / "typo"))
    assert f"There is no database in {tmp_path / 'typo'} yet, and none was made." in said
    assert f"export HRIMS_STATE_DIR={migrated}" in said
    assert not (tmp_path / "typo").exists()
    found = run("token", "add", "machine", env=terminal(checkout, **exported(product.output)))
    assert found.returncode == 0, found.stderr
    product.process.send_signal(signal.SIGKILL)
    product.wait()
    said = refused(checkout, "token", "add", "machine")
    assert "There is no database" in said
    assert "HRIMS Sync runs" not in said


def test_the_default_one_is_found_beside_one_whose_password_is_neither_kept_nor_printed(
    checkout: Path, migrated_template: Path, dsn: str, state: Path
) -> None:
    params = {"DATABASE_URL": f"{dsn} password={SECRET}", "HRIMS_BASE_URL": "http://127.0.0.1:9/hrims"}
    other = Product(state, PYTHONPATH=str(checkout), **params).up()
    said = refused(checkout, "sync", "--vote", "001")
    for told in (said, other.output):
        assert "DATABASE_URL as where it was started" in told
        assert SECRET not in told
    [record] = (checkout / ".hrims" / "instances").glob("*.json")
    assert SECRET not in record.read_text()

    default = start_default(checkout, migrated_template)
    assert "In another terminal" not in default.output
    done = run("token", "add", "machine", env=terminal(checkout))
    assert done.returncode == 0, done.stderr
    assert other.stop() == 0
    assert not record.exists()
    assert default.stop() == 0
    assert [file.name for file in (checkout / ".hrims" / "instances").iterdir()] == ["lock"]


def start_default(checkout: Path, template: Path) -> Product:
    """Start an instance without HRIMS_STATE_DIR. Its database is a copy, as from an earlier start."""
    copy_state(template / "postgres", checkout / ".hrims" / "postgres")
    command = ["env", "-u", "HRIMS_STATE_DIR", str(HRIMS), "up"]
    return Product(checkout / ".hrims", *command, PYTHONPATH=str(checkout)).up()
