"""The running instances of this installation. ``hrims up`` publishes a record, commands read all records.

A record is valid while a process has the lock on its file; the lock ends with the process. It has no secrets.
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

from hrims.config import Settings
from hrims.errors import DatabaseUnusable
from hrims.postgres import locks

DEFAULT: Path = Settings().state_dir
"""The state directory of a command that specifies none."""

NAMES = ("HRIMS_STATE_DIR", "DATABASE_URL", "DATABASE_URL_FILE")
"""The settings that specify a database."""

FOLDER = DEFAULT / "instances"
"""The folder with one record per instance. Every command of this installation finds it."""


@dataclass(frozen=True)
class Instance:
    """A running ``hrims up``: its location, and the lines to type in another terminal."""

    state_dir: str
    pid: int
    address: str
    is_embedded: bool
    lines: list[str]

    @property
    def is_default(self) -> bool:
        """Whether a command that specifies no database uses this one."""
        return self.is_embedded and self.state_dir == str(DEFAULT)

    @property
    def text(self) -> str:
        """The location of the instance and the lines to type, for users."""
        return "\n".join([f"  {self.address} (process {self.pid})", *(f"    {line}" for line in self.lines)])


def describe_instance(settings: Settings, address: str, environ: Mapping[str, str]) -> Instance:
    """Return the instance of this process."""
    lines = lines_to_type(settings, environ)
    return Instance(str(settings.state_dir), os.getpid(), address, settings.database_url is None, lines)


def lines_to_type(settings: Settings, environ: Mapping[str, str]) -> list[str]:
    """Return the lines to type in another terminal so that commands find this instance; none for
    the default.
    """
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
    """Publish a record of this instance during the block, if the folder can be written."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            record, lock = _publish(instance)
            stack.callback(os.close, lock)
            stack.callback(record.unlink, missing_ok=True)
        yield


def _publish(instance: Instance) -> tuple[Path, int]:
    _make_folder(DEFAULT)
    _make_folder(FOLDER)
    with locks.exclusive(FOLDER / "lock"):
        _delete_stale()
        # Containers that share a folder can have processes with the same process id.
        record = FOLDER / f"{instance.pid}-{secrets.token_hex(4)}.json"
        lock = locks.take(record)
        record.write_text(json.dumps(asdict(instance)), encoding="utf-8")
    return record, lock


def _delete_stale() -> None:
    """Remove the records of processes that were killed."""
    for record in FOLDER.glob("*.json"):
        lock = locks.take_if_free(record)
        if lock is not None:
            record.unlink(missing_ok=True)
            os.close(lock)


def _make_folder(folder: Path) -> None:
    """Create a folder with the owner of its parent folder, even if root starts the first instance."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    is_root = os.geteuid() == 0
    folder.mkdir(mode=0o711 if is_root else 0o700, exist_ok=True)
    if is_root:
        owner = folder.parent.stat()
        os.chown(folder, owner.st_uid, owner.st_gid)


def running() -> list[Instance]:
    """Return the running instances of this installation."""
    found = []
    for record in sorted(FOLDER.glob("*.json")):
        # Ignore a record that is incomplete or was removed: its instance is starting or ending.
        with contextlib.suppress(OSError, ValueError, TypeError):
            if locks.is_taken(record):
                found.append(Instance(**json.loads(record.read_text(encoding="utf-8"))))
    return found


def check_meant(settings: Settings, environ: Mapping[str, str]) -> None:
    """Raise DatabaseUnusable if the default database is implied but not in use, and another instance runs.

    Without this check, a command in a second terminal would use an empty second database.
    """
    if any(environ.get(name, "").strip() for name in NAMES) or settings.state_dir != DEFAULT:
        return
    found = running()
    if found and not any(instance.is_default for instance in found) and not _is_in_use(DEFAULT):
        raise DatabaseUnusable(
            f"This command names no database, and the one in {DEFAULT} is not running. {others(found)}"
            f"Nothing was started or changed. To use the one in {DEFAULT} all the same:\n"
            f"    export HRIMS_STATE_DIR={shlex.quote(str(DEFAULT))}"
        )


def others(found: list[Instance]) -> str:
    """Return the locations of other instances as the start of a message; empty if there are none."""
    if not found:
        return ""
    texts = "\n".join(instance.text for instance in found)
    return f"HRIMS Sync runs with another state directory or database:\n{texts}\n"


def has_database(state_dir: Path) -> bool:
    """Return whether an embedded database was ever created in a state directory."""
    return (state_dir / "postgres").is_dir() or (state_dir / "postgres.home").exists()


def _is_in_use(state_dir: Path) -> bool:
    """Return whether a process uses the embedded database, for example a worker that was started
    separately.
    """
    record = state_dir / "postgres.home"
    home = Path(record.read_text(encoding="utf-8").strip()) if record.exists() else state_dir / "postgres"
    users = home / "users.lock"
    try:
        if not users.exists():
            return False
        lock = locks.take_if_free(users)
    except PermissionError:
        return True  # it belongs to another user; the database reports that error better
    if lock is not None:
        os.close(lock)
    return lock is None
