"""The wheel: the files in it, and ``hrims up`` from a clean virtual environment outside the checkout.

The wheel is built with the build requirements of the lock. Its dependencies are those of this environment,
which the new one reads through a ``.pth`` file. The tests need no network.
"""

import os
import re
import signal
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from hrims.postgres import locks
from tests import PROJECT
from tests.e2e.processes.product import Product, env_of, run

DATA_FOLDERS = ("templates", "static", "migrations")
"""Folders of the checkout that the wheel has in ``hrims/_data``."""

PASSWORD = "given-by-a-test"

LIST_FOREIGN_MODULES = """
import sys, sysconfig
import hrims.app, hrims.cli.up, hrims.cli.worker, hrims.cli.doctor, hrims.jobs.supervisor, hrims.worker
files = {getattr(module, "__file__", None) for name, module in sys.modules.items()
         if name.partition(".")[0] in {"app", "hrims", "tests"}}
prefix = sysconfig.get_path("purelib")
print(*(file for file in files if file and not file.startswith(prefix)))
print(hrims.__file__, prefix, sep="\\n", file=sys.stderr)
"""


@pytest.fixture(scope="session")
def wheel(run_folder: Path) -> Path:
    """Provide the wheel of this checkout. The first worker of pytest-xdist builds it."""
    folder = run_folder / "dist"
    with locks.exclusive(run_folder / "dist.lock"):
        if not folder.exists():
            build = ("wheel", "--no-deps", "--no-build-isolation", "--no-index")
            pip(*build, "--wheel-dir", str(folder), str(PROJECT))
    [built] = folder.iterdir()
    return built


@pytest.fixture(scope="session")
def installed(wheel: Path, run_folder: Path) -> Path:
    """Provide the ``bin`` folder of a virtual environment that has the wheel. The first worker makes it."""
    folder = run_folder / "installed"
    python = folder / "bin" / "python"
    with locks.exclusive(run_folder / "installed.lock"):
        if not folder.exists():
            venv.create(folder, symlinks=True)
            pip("--python", str(python), "install", "--no-deps", "--no-index", str(wheel))
            # The path of a .pth file is not searched for other .pth files: the editable install stays
            # invisible.
            (site_packages(python) / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return python.parent


def pip(*arguments: str) -> None:
    """Run this environment's pip outside the checkout."""
    command = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, cwd="/", env=clean_env(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def clean_env() -> dict[str, str]:
    """Return this process's environment without the variables that add modules."""
    return {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}


def site_packages(python: Path) -> Path:
    """Return the folder of an environment's packages."""
    command = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    return Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())


def files_below(folder: Path) -> set[Path]:
    """Return every file of a folder of the checkout that is not a cache, relative to the checkout."""
    found = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(PROJECT) for path in found}


def test_it_contains_every_file_that_it_needs_and_no_other(wheel: Path) -> None:
    data = {path for folder in DATA_FOLDERS for path in files_below(PROJECT / folder)}
    package = files_below(PROJECT / "hrims")
    assert len(data) > 100
    assert len({path for path in package if path.suffix == ".sql"}) > 10
    expected = {f"hrims/_data/{path.as_posix()}" for path in data} | {path.as_posix() for path in package}
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        dist_info = set(archive.namelist()) - names
    assert names - {"hrims/commit.txt"} == expected | {"hrims/app.py"}
    assert {name.partition("/")[2] for name in dist_info} == {
        "METADATA",
        "RECORD",
        "WHEEL",
        "entry_points.txt",
        "licenses/LICENSE",
    }


def test_it_imports_nothing_from_the_checkout(installed: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [installed / "python", "-c", LIST_FOREIGN_MODULES],
        cwd=tmp_path,
        env=clean_env(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []
    module, prefix = done.stderr.split()
    assert Path(prefix).is_relative_to(installed.parent)
    assert module == f"{prefix}/hrims/__init__.py"


def test_up_reaches_the_first_completed_sync_and_stops(
    installed: Path, state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)

    class Installed(Product):
        script, cwd = installed / "hrims", tmp_path

    home = {"HOME": str(tmp_path), "XDG_STATE_HOME": ""}
    product = Installed(state, HRIMS_ADMIN_PASSWORD=PASSWORD, **home).up()
    refused = product.hrims("db", "url", HRIMS_STATE_DIR="")
    assert f"export HRIMS_STATE_DIR={state}" in refused.stderr, "a second terminal does not find it"
    product.simulator(latency_ms=0, jitter_ms=0, failure_rate=0)
    done = product.hrims("sync", "--vote", "003", "--page-size", "500")
    assert done.returncode == 0, done.stdout + done.stderr
    assert product.hrims("doctor").returncode == 0
    with product.browser() as browser:
        assert product.sign_in("admin", PASSWORD, browser)
        status = browser.get("/api/hrims/job-status/1").json()
        assert (status["state"], status["result"]["outcome"]) == ("completed", "complete"), status
        page = browser.get("/dashboard/admin/fetch-data")
        assert page.status_code == 200
        assert status["result"]["institutionName"] in page.text
        files = set(re.findall(r'"(/static/[^"]+)"', page.text))
        assert {Path(file.partition("?")[0]).suffix for file in files} == {".css", ".js", ".svg"}
        assert [file for file in files if browser.get(file).status_code != 200] == []
    assert product.stop(signal.SIGINT) == 0
    assert product.processes() == {}
    assert "Stopped. Everything saved is kept." in product.output


def test_the_default_state_directory_is_in_the_home_of_the_user(installed: Path, tmp_path: Path) -> None:
    env = {**env_of(tmp_path), "HOME": str(tmp_path)}
    for name in ("HRIMS_STATE_DIR", "XDG_STATE_HOME", "PYTHONPATH"):
        env.pop(name, None)
    done = run("db", "url", env=env, script=installed / "hrims", cwd=tmp_path)
    assert f"{tmp_path}/.local/state/hrims-sync" in done.stderr
    assert f"{installed / 'hrims'} up" in done.stderr
    assert list(tmp_path.iterdir()) == [], "a command that reads made a folder"
    elsewhere = run("db", "url", env={**env, "XDG_STATE_HOME": "/elsewhere"}, script=installed / "hrims")
    assert "/elsewhere/hrims-sync" in elsewhere.stderr


def test_version_names_the_commit(installed: Path, tmp_path: Path) -> None:
    done = run("--version", env=clean_env(), script=installed / "hrims", cwd=tmp_path)
    here = run("--version", env=clean_env(), cwd=PROJECT)
    assert done.stdout == here.stdout
    assert re.fullmatch(r"hrims-sync \d+\.\d+\.\d+( \(commit [0-9a-f]{7,}(-dirty)?\))?\n", done.stdout)
