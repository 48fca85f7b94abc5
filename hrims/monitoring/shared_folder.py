"""The folder in which the web processes of one server share their counts. It imports no prometheus_client.

prometheus_client decides at its import whether a process counts for itself or in the folder, so the folder
must be named before.
"""

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
"""The variable by which prometheus_client finds the folder."""

PREFIX: Final = "hrims-metrics-"


def create() -> Path | None:
    """Create the folder of this server and name it for its processes. Return None if one is named already.

    Delete the folders that killed servers of this user have left.
    """
    if os.environ.get(VARIABLE):
        return None
    _delete_abandoned()
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    os.environ[VARIABLE] = str(folder)
    return folder


def delete(folder: Path) -> None:
    """Delete the folder of a server that stops."""
    shutil.rmtree(folder, ignore_errors=True)


def _delete_abandoned() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        with suppress(OSError, ValueError):
            pid = int(folder.name.removeprefix(PREFIX).partition("-")[0])
            if folder.stat().st_uid == os.getuid() and not Path(f"/proc/{pid}").exists():
                delete(folder)
