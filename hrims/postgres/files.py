"""Files of the server's folder: made so that nobody is misled and no reader sees half of one."""

import os
from pathlib import Path


def opened(path: Path, how: int) -> int:
    """A descriptor of the file, which is made if missing and belongs to its folder's owner.

    Root may work in a person's folder; what it makes there must stay that person's.
    """
    fd = os.open(path, how | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.fchown(fd, owner.st_uid, owner.st_gid)
    return fd


def write(path: Path, text: str) -> None:
    """Replaces the file in one step: a reader sees the old text or the new, never half."""
    half = path.with_name(path.name + ".half")
    with os.fdopen(opened(half, os.O_WRONLY | os.O_TRUNC), "w") as file:
        file.write(text)
    half.replace(path)
