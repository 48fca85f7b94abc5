"""Runs the database tests a second time, on Debian's PostgreSQL 15: ``python -m tests.debian15``.

In CI, as root on Debian, it installs that server's programs where they are missing; elsewhere it says in a
line that this part was not run.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
TESTS = ("tests/database", "tests/access")
NO_CLUSTER = Path("/etc/postgresql-common/createcluster.d/hrims-sync.conf")


def main() -> int:
    """The tests' exit code; 0 with a line of its own when they could not be run."""
    if not PROGRAMS.is_dir() and _may_install():
        _install()
    if not PROGRAMS.is_dir():
        print("NOT RUN: the database tests on PostgreSQL 15 (apt-get install postgresql-15).")  # noqa: T201
        return 0
    env = {**os.environ, "HRIMS_TEST_POSTGRES": str(PROGRAMS)}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "2", "-m", "not chaos", *TESTS], env=env, check=False
    ).returncode


def _may_install() -> bool:
    return os.environ.get("CI") == "true" and os.geteuid() == 0 and shutil.which("apt-get") is not None


def _install() -> None:
    # The programs alone are wanted: no cluster is made, nothing is started.
    NO_CLUSTER.parent.mkdir(parents=True, exist_ok=True)
    NO_CLUSTER.write_text("create_main_cluster = false\n", encoding="utf-8")
    apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=120"]
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run([*apt, "update"], env=env, check=True)
    subprocess.run([*apt, "install", "-y", "--no-install-recommends", "postgresql-15"], env=env, check=True)


if __name__ == "__main__":
    sys.exit(main())
