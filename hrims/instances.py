"""Which instances of this checkout run: ``hrims up`` publishes a record of its own, commands read them all.

A record is valid while the lock on its file is held, which ends with the process. It holds no secret.
"""

import contextlib
import json
import os
import secrets
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from hrims.config import PROJECT, Settings
from hrims.errors import DatabaseUnusable
from hrims.postgres import locks

DEFAULT: Path = Settings().state_dir
"""The state directory of a command that names none."""

NAMES = ("HRIMS_STATE_DIR", "DATABASE_URL", "DATABASE_URL_FILE")
"""The settings that name a database."""

FOLDER = DEFAULT / "instances"
"""One record an instance, in a place that every command of this checkout finds."""


@dataclass(frozen=True)
class Instance:
    """A running ``hrims up``: where it is, and the lines to type in another terminal."""

    state_dir: str
    pid: int
    address: str
    is_embedded: bool
    lines: list[str]

    @property
    def is_default(self) -> bool:
        """Whether a command that names no database uses this one."""
        return self.is_embedded and self.state_dir == str(DEFAULT)

    @property
    def text(self) -> str:
        """Where it runs and how to reach it, for a person."""
        return "\n".join([f"  {self.address} (process {self.pid})", *(f"    {line}" for line in self.lines)])


def of(settings: Settings, address: str, environ: Mapping[str, str]) -> Instance:
    """Return this process as an instance."""
    lines = lines_to_type(settings, environ)
    return Instance(str(settings.state_dir), os.getpid(), address, settings.database_url is None, lines)


def lines_to_type(settings: Settings, environ: Mapping[str, str]) -> list[str]:
    """Return what to type in another terminal so that commands find this instance; nothing by default."""
    lines = []
    if settings.state_dir != DEFAULT:
        lines.append(f"export HRIMS_STATE_DIR={shlex.quote(str(settings.state_dir))}")
    if file := environ.get("DATABASE_URL_FILE", "").strip():
        lines.append(f"export DATABASE_URL_FILE={shlex.quote(str(Path(file).absolute()))}")
    elif settings.database_url and _has_no_password(settings.database_url):
        lines.append(f"export DATABASE_URL={shlex.quote(settings.database_url)}")
    elif settings.database_url:
        lines.append("# and DATABASE_URL as where it was started; not shown, because it holds a password")
    return lines


def _has_no_password(url: str) -> bool:
    try:
        return not conninfo_to_dict(url).keys() & {"password", "sslpassword"}
    except psycopg.ProgrammingError:
        return False


@contextlib.contextmanager
def published(instance: Instance) -> Iterator[None]:
    """Keep a record of this instance during the block. A checkout that cannot be written has none."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            record, lock = _publish(instance)
            stack.callback(os.close, lock)
            stack.callback(record.unlink, missing_ok=True)
        yield


def _publish(instance: Instance) -> tuple[Path, int]:
    _make(DEFAULT)
    _make(FOLDER)
    with locks.alone(FOLDER / "lock"):
        _sweep()
        # Containers that share a checkout can have processes of the same number.
        record = FOLDER / f"{instance.pid}-{secrets.token_hex(4)}.json"
        lock = locks.take(record)
        record.write_text(json.dumps(asdict(instance)), encoding="utf-8")
    return record, lock


def _sweep() -> None:
    """Remove the records of processes that were killed."""
    for record in FOLDER.glob("*.json"):
        lock = locks.take_if_free(record)
        if lock is not None:
            record.unlink(missing_ok=True)
            os.close(lock)


def _make(folder: Path) -> None:
    """Make a folder that belongs to the owner of the checkout, also if root starts the first instance."""
    if folder.is_dir():
        return
    is_root = os.geteuid() == 0
    folder.mkdir(mode=0o711 if is_root else 0o700, exist_ok=True)
    if is_root:
        owner = PROJECT.stat()
        os.chown(folder, owner.st_uid, owner.st_gid)


def running() -> list[Instance]:
    """Return the instances of this checkout that run now."""
    found = []
    for record in sorted(FOLDER.glob("*.json")):
        # A record that is half written, or gone by now, is of an instance that starts or ends just now.
        with contextlib.suppress(OSError, ValueError, TypeError):
            if locks.is_taken(record):
                found.append(Instance(**json.loads(record.read_text(encoding="utf-8"))))
    return found


def check_meant(settings: Settings, environ: Mapping[str, str]) -> None:
    """Raise DatabaseUnusable if no database was named, the default one is not in use, and another one runs.

    Without this a second terminal would work on an empty second database.
    """
    if any(environ.get(name, "").strip() for name in NAMES) or settings.state_dir != DEFAULT:
        return
    found = running()
    if found and not any(one.is_default for one in found) and not _is_in_use(DEFAULT):
        raise DatabaseUnusable(
            f"This command names no database, and the one in {DEFAULT} is not running. {others(found)}"
            f"Nothing was started or changed. To use the one in {DEFAULT} all the same:\n"
            f"    export HRIMS_STATE_DIR={shlex.quote(str(DEFAULT))}"
        )


def others(found: list[Instance]) -> str:
    """Return where other instances run, as sentences that others follow; nothing if there is none."""
    if not found:
        return ""
    texts = "\n".join(one.text for one in found)
    return f"HRIMS Sync runs from this folder with another one:\n{texts}\n"


def has_database(state_dir: Path) -> bool:
    """Whether an embedded database was ever made in a state directory."""
    return (state_dir / "postgres").is_dir() or (state_dir / "postgres.home").exists()


def _is_in_use(state_dir: Path) -> bool:
    """Whether a process uses the embedded database, a worker that was started alone for instance."""
    record = state_dir / "postgres.home"
    home = Path(record.read_text(encoding="utf-8").strip()) if record.exists() else state_dir / "postgres"
    users = home / "users.lock"
    try:
        if not users.exists():
            return False
        lock = locks.take_if_free(users)
    except PermissionError:
        return True  # it is another user's, and the database says so in its own words
    if lock is not None:
        os.close(lock)
    return lock is None
