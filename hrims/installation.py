"""Paths of this installation's files. They are beside the package in a checkout and inside it in a wheel.

Only this module knows the two layouts. ``pyproject.toml`` and ``deploy/build_hook.py`` define that of the
wheel.
"""

import os
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
"""The folder of the package ``hrims``."""

IMPORT_ROOT = PACKAGE.parent
"""The folder to import ``hrims`` from: the checkout, or ``site-packages``."""

WHEEL_DATA = PACKAGE / "_data"
"""The files of a wheel that are beside the package in a checkout. No checkout has this folder."""

CHECKOUT = None if WHEEL_DATA.is_dir() else IMPORT_ROOT
"""The folder of the checkout; None in an installed wheel."""

ROOT = CHECKOUT or WHEEL_DATA
"""The folder of ``templates``, ``static`` and ``migrations``; the current directory of child processes."""

TEMPLATES = ROOT / "templates"
STATIC = ROOT / "static"
MIGRATIONS = ROOT / "migrations"

DEMO_REGISTER = PACKAGE / "simulator" / "institutions.csv"
"""The register of the demo. Its names are those of public bodies; codes and TINs are invented."""

COMMON_PASSWORDS = PACKAGE / "access" / "common_passwords.list"
"""Passwords that are refused, with their license."""

WSGI_APP = "app:create_app()" if CHECKOUT else "hrims.app:create_app()"
"""The web application in gunicorn's notation. A wheel adds no module ``app`` to an environment."""

SCRIPT = Path(sys.executable).with_name("hrims")
"""The ``hrims`` command of this environment."""

HRIMS_COMMAND = ".venv/bin/hrims" if CHECKOUT else str(SCRIPT)
"""The ``hrims`` command as a user types it, in a checkout from its folder."""

START_COMMAND = "make run" if CHECKOUT else f"{SCRIPT} up"
"""The command that starts everything, as a user types it."""


def default_state_dir(checkout: Path | None = CHECKOUT) -> Path:
    """Return the state directory of a process without HRIMS_STATE_DIR.

    It does not depend on the current directory, so that commands in a second terminal find the same database.
    """
    if checkout:
        return checkout / ".hrims"
    base = Path(os.environ.get("XDG_STATE_HOME", ""))
    if not base.is_absolute():  # the XDG specification ignores relative paths
        base = _home() / ".local" / "state"
    return base / "hrims-sync"


def _home() -> Path:
    """Return the home folder of the user; the root folder if the user has no account, like in a container."""
    try:
        return Path.home()
    except RuntimeError:
        return Path("/")


DEFAULT_STATE_DIR = default_state_dir()
