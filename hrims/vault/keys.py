"""The encryption keys. Input: settings. Output: keys, the first of which encrypts.

Without HRIMS_ENCRYPTION_KEY, they are in a file of the state directory, one in a line. The file is read again
when it has changed, so that running processes learn of a new key.
"""

import os
import stat
import tempfile
from pathlib import Path
from typing import Final

from cryptography.fernet import Fernet

from hrims.config import Settings
from hrims.config.values import Hint, encryption_keys
from hrims.log import add_secret
from hrims.vault.errors import SecretUnreadable

FILE_NAME: Final = "encryption.key"

FILE_MODE: Final = 0o600

VARIABLE: Final = "HRIMS_ENCRYPTION_KEY"


def new_key() -> str:
    """Return a random key."""
    return Fernet.generate_key().decode()


class KeySource:
    """Where the keys of a process come from."""

    def __init__(self, settings: Settings) -> None:
        self._given = settings.encryption_key
        self.file = None if self._given else settings.state_dir / FILE_NAME
        """The file of the keys; None if they are in the environment."""
        self._stamp: tuple[int, int, int] | None = None
        self._read: list[str] = []

    def __str__(self) -> str:
        return str(self.file) if self.file else VARIABLE

    def keys(self) -> list[str]:
        """Return the keys; none if there is no file yet. Raises SecretUnreadable if it cannot be used."""
        if self.file is None:
            return (self._given or "").split(",")
        try:
            found = self.file.stat()
            stamp = found.st_ino, found.st_mtime_ns, found.st_size
            if stamp != self._stamp:
                self._read = _parse(self.file, self.file.read_text(encoding="utf-8"))
                self._stamp = stamp
        except FileNotFoundError:
            return []
        except (OSError, UnicodeError) as error:
            raise SecretUnreadable(_unusable(self.file, type(error).__name__)) from None
        return self._read

    @property
    def is_exposed(self) -> bool:
        """Return whether other users of this machine may read the file of the keys."""
        try:
            return bool(self.file and stat.S_IMODE(self.file.stat().st_mode) & 0o077)
        except OSError:
            return False

    def create(self) -> None:
        """Create the file with a random key. If another process does so meanwhile, its file stays."""
        if self.file:
            _write(self.file, [new_key()], is_new=True)


def add_key(source: KeySource) -> Path:
    """Put a random key before the others of the file. Return the file.

    Raises SecretUnreadable if the keys are in the environment, or if there is no file.
    """
    keys = source.keys()
    if source.file is None or not keys:
        raise SecretUnreadable(
            f"No key was added: {VARIABLE} is set, so the new key goes there."
            if source.file is None
            else f"No key was added: there is no key in {source.file}."
        )
    _write(source.file, [new_key(), *keys], is_new=False)
    return source.file


def _parse(file: Path, text: str) -> list[str]:
    try:
        keys = encryption_keys(text).split(",")
    except Hint:
        raise SecretUnreadable(_unusable(file, "it holds something else than keys")) from None
    for key in keys:
        add_secret(key)
    return keys


def _unusable(file: Path, reason: str) -> str:
    return (
        f"The encryption key in {file} cannot be used ({reason}). Nothing was changed. "
        f"Put the file back from a backup, or set {VARIABLE}."
    )


def _write(file: Path, keys: list[str], *, is_new: bool) -> None:
    """Write the file whole or not at all. A new one does not replace an existing one."""
    try:
        # A new folder is private. An existing one stays as it is: root's database must be able to cross it.
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as draft:
                draft.write("".join(f"{key}\n" for key in keys))
                draft.flush()
                os.fchmod(draft.fileno(), FILE_MODE)
                if not is_new:
                    _keep_owner(file, draft.fileno())
                os.fsync(draft.fileno())
            _publish(Path(name), file, is_new=is_new)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise SecretUnreadable(
            f"The encryption key cannot be saved in {file} ({error.strerror}). Nothing was changed. "
            f"Make the folder writable, or set {VARIABLE}."
        ) from None


def _keep_owner(file: Path, descriptor: int) -> None:
    """Give the draft to the owner of the file: root may run the command for a service of another user."""
    found = file.stat()
    if (found.st_uid, found.st_gid) != (os.geteuid(), os.getegid()):
        os.fchown(descriptor, found.st_uid, found.st_gid)


def _publish(draft: Path, file: Path, *, is_new: bool) -> None:
    if is_new:
        try:
            os.link(draft, file)
        except FileExistsError:
            return
    else:
        draft.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
