"""Programs that these tests need: a name comes in, a path goes out. What is missing is installed on Debian
by root; elsewhere the test is skipped, and says what it lacks.
"""

import shutil
import tempfile
from pathlib import Path

import pytest

from hrims.postgres import locks
from tests.support import debian15

ELSEWHERE = f"/usr/sbin:/sbin:/usr/bin:/bin:{debian15.PROGRAMS}"
"""Where Debian puts programs that are not in everybody's PATH."""


def require_program(program: str, package: str) -> Path:
    """Return where the program is."""
    if not _find(program) and debian15.may_install():
        # Workers of pytest-xdist may want the same one at the same time.
        with locks.exclusive(Path(tempfile.gettempdir()) / "hrims-tests-install.lock"):
            if not _find(program):
                debian15.install(package)
    found = _find(program)
    if not found:
        pytest.skip(
            f"NOT RUN: {program} is missing and cannot be installed here (apt-get install {package})."
        )
    return Path(found)


def _find(program: str) -> str | None:
    return shutil.which(program, path=ELSEWHERE)
