"""Files in the server's folder: created with the right owner and replaced atomically."""

import os
from pathlib import Path


def open_file(path: Path, flags: int) -> int:
    """Return a descriptor of the file, which is created if missing and gets the owner of its folder.

    Root may work in the folder of another user; the files that it creates there must belong to that user.
    """
    fd = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.fchown(fd, owner.st_uid, owner.st_gid)
    return fd


def write(path: Path, text: str) -> None:
    """Replace the file atomically: a reader sees the old text or the new text, never a part."""
    temporary = path.with_name(path.name + ".half")
    with os.fdopen(open_file(temporary, os.O_WRONLY | os.O_TRUNC), "w") as file:
        file.write(text)
    temporary.replace(path)
