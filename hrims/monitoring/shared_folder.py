"""The folder in which the web processes of one server share their counts. It imports no prometheus_client.

prometheus_client decides at its import whether a process counts for itself or in the folder, so the folder
must be named before.
"""

import os
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
"""The variable by which prometheus_client finds the folder."""

PREFIX: Final = "hrims-metrics-"

RESERVED: Final = {
    "counter": 1 << 16,
    "gauge_livemax": 1 << 16,
    "gauge_livesum": 1 << 16,
    "histogram": 1 << 21,
}
"""Bytes of each file of a process. A histogram of requests has 3 kB for each route and status.

prometheus_client maps files with holes into memory. Writing to a hole of a full disk kills the process.
"""


USED_BYTES: Final = 4
"""Bytes at the beginning of a file that say how much of it is used; as many without meaning follow."""


def create() -> Path | None:
    """Create the folder of this server and name it for its processes.

    Delete the folders that killed servers of this user have left. Return None if a folder is named already,
    or if none can be created: each process then counts for itself.
    """
    if os.environ.get(VARIABLE):
        return None
    try:
        _delete_abandoned()
        folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    except OSError:
        return None
    os.environ[VARIABLE] = str(folder)
    return folder


def reserve() -> bool:
    """Allocate the files of this process. Call it after a fork, before the import of prometheus_client.

    Return False if the folder cannot hold them: this process then counts for itself.
    """
    folder = os.environ.get(VARIABLE)
    if not folder:
        return False
    files = {Path(folder, f"{kind}_{os.getpid()}.db"): size for kind, size in RESERVED.items()}
    try:
        for file, size in files.items():
            with file.open("ab") as opened:
                os.posix_fallocate(opened.fileno(), 0, size)
    except OSError:
        del os.environ[VARIABLE]
        for file in files:
            with suppress(OSError):
                file.unlink(missing_ok=True)
        return False
    return True


def release(pid: int) -> None:
    """Free what a process that has ended reserved and did not use. Its counts stay."""
    for kind in RESERVED:
        with suppress(OSError), Path(os.environ[VARIABLE], f"{kind}_{pid}.db").open("r+b") as file:
            used = int.from_bytes(file.read(USED_BYTES), sys.byteorder)
            file.truncate(max(used, 2 * USED_BYTES))


def delete(folder: Path) -> None:
    """Delete the folder of a server that stops."""
    shutil.rmtree(folder, ignore_errors=True)


def _delete_abandoned() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        with suppress(OSError, ValueError):
            pid = int(folder.name.removeprefix(PREFIX).partition("-")[0])
            if folder.stat().st_uid == os.getuid() and not Path(f"/proc/{pid}").exists():
                delete(folder)
