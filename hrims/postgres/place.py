"""Locations of the server: its folder for a state directory, and a short folder for its socket."""

import json
import os
import stat
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hrims.errors import DatabaseUnusable
from hrims.postgres.account import Account, server_account
from hrims.postgres.files import write

PORT = 5432
"""Part of the socket's file name; nothing listens on TCP."""

SOCKET_PATH_BYTES = 107 if sys.platform == "linux" else 103
"""Maximum length in bytes of a socket's path in the kernel."""

SHORT_BASE = Path("/tmp")  # noqa: S108 - only for mkdtemp, whose owner is checked # nosec B108
"""Folder for the sockets whose own folder has too long a path."""

TEMPORARY = Path(tempfile.gettempdir())

ROOT_DATA_FOLDERS = (Path("/var/lib"), Path("/usr/local/var"), Path("/srv"))
"""Folders for data of root that the server's account could not reach; the first that exists is used."""


@dataclass(frozen=True)
class Place:
    """The server's folder and the account that runs it; None is the current user.

    The folder itself belongs to the current user. The account owns only `data` and the socket's folder in it,
    so a program that runs under that account cannot make us write elsewhere.
    """

    home: Path
    account: Account | None

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def users(self) -> Path:
        """The lock that all users of the server share."""
        return self.home / "users.lock"

    @property
    def guard(self) -> Path:
        """The lock that the guard has exclusively while it lives."""
        return self.home / "guard.lock"

    @property
    def running(self) -> Path:
        """The lock that every process of the server inherits: it is free if no process is left."""
        return self.home / "running.lock"

    @property
    def status(self) -> Path:
        return self.home / "status.json"

    @property
    def log(self) -> Path:
        return self.home / "postgres.log"


def start_lock(state_dir: Path) -> Path:
    """Return the lock under which a server is started and stopped. Creates the state directory."""
    # As root, the server runs under another account, which must be able to traverse this folder.
    _make(state_dir, 0o711 if os.geteuid() == 0 else 0o700)
    return state_dir / "postgres.lock"


def locate(state_dir: Path) -> Place:
    """Return the server's place, created if missing. Call it under the start lock."""
    record = state_dir / "postgres.home"
    home = _read_record(record) if record.exists() else state_dir / "postgres"
    account = server_account(_owned_by_server(home))
    _make(home, 0o711 if account else 0o700)
    if account and not account.can_enter(home):
        if any(home.iterdir()):
            raise DatabaseUnusable(
                f"The account {account.name!r}, under which the database runs, cannot reach its "
                f"data in {home} any more: a folder above it was closed. Nothing was started or "
                "changed. Open that folder for it again (chmod o+x), or move the state directory."
            )
        home.rmdir()
        home = _make_root_folder(state_dir, record)
    return Place(home, account)


def _owned_by_server(home: Path) -> Path | None:
    return next((p for p in (home / "data", home / "socket") if p.exists()), None)


def _make(folder: Path, mode: int) -> None:
    """Create a folder, unless another process does it at the same time."""
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        if not folder.is_dir():
            raise
    else:
        folder.chmod(mode)


def _make_root_folder(state_dir: Path, record: Path) -> Path:
    """Create a folder outside of closed home folders and record it in the state directory.

    A clone under /root is the common case: its folders have mode 0700 and keep it.
    """
    home = _make_temporary_folder(state_dir)
    home.chmod(0o711)
    write(home / "belongs-to", f"{state_dir}\n")
    write(record, f"{home}\n")
    return home


def _make_temporary_folder(state_dir: Path) -> Path:
    if state_dir.is_relative_to(TEMPORARY):
        # Data in a temporary state directory must not fill /var/lib.
        return Path(tempfile.mkdtemp(prefix="hrims-state-", dir=TEMPORARY))
    for base in ROOT_DATA_FOLDERS:
        if base.is_dir() and os.access(base, os.W_OK):
            _make(base / "hrims-sync", 0o711)
            return Path(tempfile.mkdtemp(prefix="state-", dir=base / "hrims-sync"))
    raise DatabaseUnusable(
        f"PostgreSQL cannot run as root, and another account cannot reach {state_dir}. Nothing "
        "was started. Give a HRIMS_STATE_DIR outside of closed folders, or set DATABASE_URL."
    )


def _read_record(record: Path) -> Path:
    home = Path(record.read_text().strip())
    if not home.is_dir():
        raise DatabaseUnusable(
            f"The database of this state directory was kept in {home}, which is gone. Nothing was "
            f"started. Bring that folder back, or remove {record} to begin with an empty database."
        )
    _check_not_copied(home, record)
    return home


def _check_not_copied(home: Path, record: Path) -> None:
    """Raise DatabaseUnusable if two state directories, one a copy of the other, would share a database."""
    original = Path((home / "belongs-to").read_text().strip())
    original_record = original / record.name
    if (
        original_record.exists()
        and not original.samefile(record.parent)
        and _is_same_text(original_record, record)
    ):
        raise DatabaseUnusable(
            f"{record.parent} is a copy of {original}, and its database in {home} was not copied "
            f"with it. Nothing was started. Remove {record} to begin with an empty database here."
        )
    write(home / "belongs-to", f"{record.parent}\n")


def _is_same_text(path: Path, other: Path) -> bool:
    return path.read_text() == other.read_text()


def socket_folder(place: Place) -> Path:
    """Return the folder of the socket: mode 0700, owned by the server's account, the same at every start."""
    folder = place.home / "socket"
    if _is_short_enough(folder):
        _make_private(folder, place.account)
        return folder
    return _short_folder(place)


def _is_short_enough(folder: Path) -> bool:
    # libpq splits the host at commas. The server splits its setting at commas too and interprets quotes.
    socket_path = os.fsencode(folder / f".s.PGSQL.{PORT}")
    return len(socket_path) <= SOCKET_PATH_BYTES and not any(c in str(folder) for c in ',"')


def _short_folder(place: Place) -> Path:
    record = place.home / "socket.json"
    if record.exists():
        recorded = json.loads(record.read_text())
        folder = Path(recorded["socket"])
        # A copied state directory must not use the socket of the original.
        if recorded["home"] == str(place.home) and _is_private(folder, place.account):
            return folder
    folder = Path(tempfile.mkdtemp(prefix="hrims-", dir=SHORT_BASE))
    _make_private(folder, place.account)
    write(record, json.dumps({"home": str(place.home), "socket": str(folder)}))
    return folder


def _make_private(folder: Path, account: Account | None) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    if account:
        os.chown(folder, account.uid, account.gid)
    folder.chmod(0o700)


def _is_private(folder: Path, account: Account | None) -> bool:
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return False
    owner = account.uid if account else os.geteuid()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == owner and not found.st_mode & 0o077
