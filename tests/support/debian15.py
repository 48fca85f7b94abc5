"""Runs the database tests a second time, on Debian's PostgreSQL 15: ``python -m tests.support.debian15``.

In CI, as root on Debian, it installs that server's programs where they are missing; elsewhere it says in a
line that this part was not run.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
TESTS = ("tests/database", "tests/access")
NO_CLUSTER = Path("/etc/postgresql-common/createcluster.d/hrims-sync.conf")
POLICY = Path("/usr/sbin/policy-rc.d")
"""Debian asks it before it starts what it installs."""


def main() -> int:
    """Return the tests' exit code; 0 with a line of its own when they could not be run."""
    if not PROGRAMS.is_dir() and os.environ.get("CI") == "true" and may_install():
        install("postgresql-15")
    if not PROGRAMS.is_dir():
        print("NOT RUN: the database tests on PostgreSQL 15 (apt-get install postgresql-15).")  # noqa: T201
        return 0
    env = {**os.environ, "HRIMS_TEST_POSTGRES": str(PROGRAMS)}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "3", "--dist", "worksteal", "-m", "not chaos", *TESTS],
        env=env,
        check=False,
    ).returncode


def may_install() -> bool:
    """Return whether Debian's packages can be installed here."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(*packages: str) -> None:
    """Install Debian's packages. Only their programs are needed: create no cluster, start nothing."""
    NO_CLUSTER.parent.mkdir(parents=True, exist_ok=True)
    NO_CLUSTER.write_text("create_main_cluster = false\n", encoding="utf-8")
    apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=120"]
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with _nothing_is_started():
        subprocess.run([*apt, "update"], env=env, check=True)
        subprocess.run([*apt, "install", "-y", "--no-install-recommends", *packages], env=env, check=True)


@contextmanager
def _nothing_is_started() -> Iterator[None]:
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n", encoding="utf-8")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()


if __name__ == "__main__":
    sys.exit(main())
