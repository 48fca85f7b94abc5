"""Finds Debian's Prometheus and promtool for the tests. ``python -m tests.support.prometheus`` fetches them.

They are unpacked beside the virtual environment, so nothing is installed or started.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests import PROJECT

FOLDER = PROJECT / ".venv" / "prometheus"
WHAT_TO_DO = (
    "There is no Prometheus for the tests, and none could be fetched. Install one (Debian: apt-get install "
    "prometheus), or put prometheus and promtool on the PATH."
)


class NoPrometheus(Exception):
    """There is no Prometheus. The text says what to do."""


def program(name: str) -> str:
    """Return the path of ``prometheus`` or ``promtool``. Raises NoPrometheus."""
    if found := shutil.which(name) or shutil.which(name, path=str(FOLDER)):
        return found
    raise NoPrometheus(f"{WHAT_TO_DO} `make prometheus` fetches it.")


def fetch() -> None:
    """Fetch Debian's package and unpack its programs. Raises NoPrometheus."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            _download(folder)
            package = next(Path(folder).glob("prometheus_*.deb"))
            subprocess.run(["dpkg-deb", "-x", str(package), folder], check=True)
            FOLDER.mkdir(parents=True, exist_ok=True)
            for name in ("prometheus", "promtool"):
                shutil.move(str(Path(folder, "usr/bin", name)), FOLDER / name)
    except (OSError, subprocess.CalledProcessError, StopIteration):
        raise NoPrometheus(WHAT_TO_DO) from None


def _download(folder: str) -> None:
    # As root, apt gives the download to a user that must be able to write here.
    Path(folder).chmod(0o777)
    command = ["apt-get", "-qq", "download", "prometheus"]
    if subprocess.run(command, cwd=folder, check=False, capture_output=True).returncode:
        subprocess.run(["apt-get", "-qq", "update"], check=True)
        subprocess.run(command, cwd=folder, check=True)


def main() -> int:
    """Return 0 if the programs are there at the end, else 1."""
    try:
        try:
            program("promtool")
        except NoPrometheus:
            print("Fetching Debian's Prometheus for the tests ...")  # noqa: T201 - a command
            fetch()
    except NoPrometheus as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
