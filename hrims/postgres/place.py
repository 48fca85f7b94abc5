"""Where the server lives: its folder for a state directory, and a short one for its socket."""

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
"""The longest path of a socket that the kernel takes."""

SHORT_BASE = Path("/tmp")  # noqa: S108 - only for folders made with mkdtemp, whose owner is checked
"""Where a socket goes whose own folder has too long a path."""

TEMPORARY = Path(tempfile.gettempdir())

ROOMS_OF_ROOT = (Path("/var/lib"), Path("/usr/local/var"), Path("/srv"))
"""Where data goes that root keeps but the server's account could not reach: first that exists."""


@dataclass(frozen=True)
class Place:
    """The server's folder and the account that it runs under; None is whoever we are.

    The folder itself is ours: the account owns only `data` and the socket's folder in it, so
    nothing that runs under that account can lead us to write elsewhere.
    """

    home: Path
    account: Account | None

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def users(self) -> Path:
        """Everybody who uses the server shares this lock."""
        return self.home / "users.lock"

    @property
    def guard(self) -> Path:
        """The guard holds this lock alone while it lives."""
        return self.home / "guard.lock"

    @property
    def running(self) -> Path:
        """Every process of the server inherits this lock: free means that none is left."""
        return self.home / "running.lock"

    @property
    def status(self) -> Path:
        return self.home / "status.json"

    @property
    def log(self) -> Path:
        return self.home / "postgres.log"


def start_lock(state_dir: Path) -> Path:
    """The lock under which a server is started and given up. Makes the state directory."""
    # Root's server runs under another account, which must get through.
    _make(state_dir, 0o711 if os.geteuid() == 0 else 0o700)
    return state_dir / "postgres.lock"


def locate(state_dir: Path) -> Place:
    """The server's place, made if missing. Call it under the start lock."""
    record = state_dir / "postgres.home"
    home = _recorded(record) if record.exists() else state_dir / "postgres"
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
        home = _room_of_root(state_dir, record)
    return Place(home, account)


def _owned_by_server(home: Path) -> Path | None:
    return next((p for p in (home / "data", home / "socket") if p.exists()), None)


def _make(folder: Path, mode: int) -> None:
    if not folder.is_dir():
        folder.mkdir(parents=True)
        folder.chmod(mode)


def _room_of_root(state_dir: Path, record: Path) -> Path:
    """A folder outside of closed homes, remembered in the state directory.

    A clone under /root is the common case: its folders are 0700 and stay so.
    """
    home = _new_room(state_dir)
    home.chmod(0o711)
    write(home / "belongs-to", f"{state_dir}\n")
    write(record, f"{home}\n")
    return home


def _new_room(state_dir: Path) -> Path:
    if state_dir.is_relative_to(TEMPORARY):
        # What was meant to last no longer than /tmp does not fill /var/lib.
        return Path(tempfile.mkdtemp(prefix="hrims-state-", dir=TEMPORARY))
    for base in ROOMS_OF_ROOT:
        if base.is_dir() and os.access(base, os.W_OK):
            _make(base / "hrims-sync", 0o711)
            return Path(tempfile.mkdtemp(prefix="state-", dir=base / "hrims-sync"))
    raise DatabaseUnusable(
        f"PostgreSQL cannot run as root, and another account cannot reach {state_dir}. Nothing "
        "was started. Give a HRIMS_STATE_DIR outside of closed folders, or set DATABASE_URL."
    )


def _recorded(record: Path) -> Path:
    home = Path(record.read_text().strip())
    if not home.is_dir():
        raise DatabaseUnusable(
            f"The database of this state directory was kept in {home}, which is gone. Nothing was "
            f"started. Bring that folder back, or remove {record} to begin with an empty database."
        )
    _refuse_a_copy(home, record)
    return home


def _refuse_a_copy(home: Path, record: Path) -> None:
    """Two state directories must never meet in one database, not even when one is a copy."""
    first = Path((home / "belongs-to").read_text().strip())
    twin = first / record.name
    if twin.exists() and not first.samefile(record.parent) and _same(twin, record):
        raise DatabaseUnusable(
            f"{record.parent} is a copy of {first}, and its database in {home} was not copied "
            f"with it. Nothing was started. Remove {record} to begin with an empty database here."
        )
    write(home / "belongs-to", f"{record.parent}\n")


def _same(one: Path, other: Path) -> bool:
    return one.read_text() == other.read_text()


def socket_folder(place: Place) -> Path:
    """The folder of the socket, 0700 and the server's own; the same one at every start."""
    own = place.home / "socket"
    if _fits(own):
        _make_private(own, place.account)
        return own
    return _short_folder(place)


def _fits(folder: Path) -> bool:
    # libpq splits host at commas; the server splits its setting at them and reads quotes.
    whole = os.fsencode(folder / f".s.PGSQL.{PORT}")
    return len(whole) <= SOCKET_PATH_BYTES and not any(c in str(folder) for c in ',"')


def _short_folder(place: Place) -> Path:
    record = place.home / "socket.json"
    if record.exists():
        known = json.loads(record.read_text())
        folder = Path(known["socket"])
        # A copied state directory must not use the original's socket.
        if known["home"] == str(place.home) and _is_private(folder, place.account):
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
