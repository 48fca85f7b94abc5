"""``deploy/venv.sh``, which ``make`` runs first: what a machine lacks is told in words, and what was
left half made is made again. The Pythons here are small scripts that stand in for others.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import PROJECT
from tests.e2e.processes.product import wait_until

LIKE_DEBIAN = f"""#!/bin/sh
case "$*" in
*"import venv, ensurepip"*) echo "No module named ensurepip" >&2; exit 1;;
esac
exec {sys.executable} "$@"
"""

OLD = """#!/bin/sh
[ "$1" = -V ] && echo "Python 3.9.2" && exit 0
exit 1
"""

MAKES_ONE = """#!/bin/sh
# Makes an environment whose pip tells that it runs, waits to be killed once, and succeeds after that.
case "$*" in
"-m venv .venv")
  mkdir -p .venv/bin
  cat > .venv/bin/python <<'PIP'
#!/bin/sh
case "$*" in
*"-m pip install"*)
  echo "$*" >> pip.log
  [ -e killed-once ] && exit 0
  touch pip-runs
  exec sleep 600;;
esac
exit 0
PIP
  chmod +x .venv/bin/python; echo made >> venv.log; exit 0;;
esac
exit 0
"""


def venv_sh(folder: Path, python: str, *, script: str = "") -> "subprocess.CompletedProcess[str]":
    """Run the script in a folder, with a stand-in for Python where one is given."""
    if script:
        (folder / python).write_text(script)
        (folder / python).chmod(0o755)
        python = f"./{python}"
    return subprocess.run(
        ["bash", PROJECT / "deploy" / "venv.sh", python, "requirements.lock"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("python", "script", "words"),
    [
        (
            "python3.nowhere",
            "",
            "there is no python3.nowhere here.\nDebian and Ubuntu: apt-get install python3",
        ),
        ("old", OLD, "needs Python 3.11 or later; ./old is Python 3.9.2.\nName another one: make PYTHON="),
        (
            "bare",
            LIKE_DEBIAN,
            "apt-get install python{}.{}-venv    then again: make run".format(*sys.version_info),
        ),
    ],
    ids=["no Python", "an old Python", "no venv module"],
)
def test_what_a_machine_lacks(tmp_path: Path, python: str, script: str, words: str) -> None:
    done = venv_sh(tmp_path, python, script=script)
    assert done.returncode == 1
    assert words in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_a_killed_installation_is_repeated(tmp_path: Path) -> None:
    makefile = (PROJECT / "Makefile").read_text()
    (tmp_path / "Makefile").write_text(
        makefile.replace("deploy/venv.sh", str(PROJECT / "deploy" / "venv.sh"))
    )
    for name in ("requirements.lock", "requirements-dev.lock", "pyproject.toml"):
        (tmp_path / name).touch()
    (tmp_path / "python").write_text(MAKES_ONE)
    (tmp_path / "python").chmod(0o755)
    command = ["make", "PYTHON=./python", ".venv/run.stamp"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}

    first = subprocess.Popen(command, cwd=tmp_path, env=clean, start_new_session=True)
    wait_until((tmp_path / "pip-runs").exists)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    assert not (tmp_path / ".venv" / "run.stamp").exists()
    assert (tmp_path / "venv.log").read_text() == "made\n"

    (tmp_path / "killed-once").touch()
    subprocess.run(command, cwd=tmp_path, env=clean, check=True, capture_output=True)
    assert (tmp_path / "venv.log").read_text() == "made\nmade\n", "the half environment was believed"
    assert (tmp_path / ".venv" / "run.stamp").exists()
    installs = (tmp_path / "pip.log").read_text()
    assert "--require-hashes -r requirements.lock" in installs

    again = subprocess.run(command, cwd=tmp_path, env=clean, check=True, capture_output=True, text=True)
    assert "up to date" in again.stdout
    assert (tmp_path / "pip.log").read_text() == installs, "a whole environment is left alone"
