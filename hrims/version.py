"""The version of HRIMS Sync, and the git commit of this installation.

``VERSION`` is the only definition of the version; the build reads it. ``deploy/build_hook.py`` writes the
commit into wheels and source distributions.
"""

import os
import subprocess
from pathlib import Path

from hrims.installation import CHECKOUT, PACKAGE

VERSION = "0.1.0"

COMMIT_FILE = PACKAGE / "commit.txt"
"""The file with the commit from which a wheel was built. No checkout has it."""

GIT_TIMEOUT = 10.0
"""Seconds after which the commit counts as unknown."""


def describe() -> str:
    """Return the version, and the commit if it is known."""
    commit = read_commit()
    return f"{VERSION} (commit {commit})" if commit else VERSION


def read_commit() -> str | None:
    """Return the abbreviated commit, with ``-dirty`` if files were changed since; None if it is unknown."""
    try:
        return COMMIT_FILE.read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError):
        return commit_of(CHECKOUT) if CHECKOUT else None


def commit_of(checkout: Path) -> str | None:
    """Return the commit of a checkout; None if the folder has no ``.git`` or git fails."""
    if not (checkout / ".git").exists():  # a repository in a parent folder belongs to another project
        return None
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--exclude=*", "--abbrev=7", "--dirty"],  # noqa: S607 - git from the PATH # nosec B607
            cwd=checkout,
            env={**env, "GIT_OPTIONAL_LOCKS": "0"},
            capture_output=True,
            text=True,
            check=True,
            timeout=GIT_TIMEOUT,
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    return done.stdout.strip() or None
