"""The operating system account that runs the server.

PostgreSQL refuses to run as root, so root runs it under another account.
"""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hrims.errors import DatabaseUnusable

SERVER_ACCOUNTS = ("postgres", "nobody")
"""Existing accounts under which root may run the server, best first; none is ever created."""


@dataclass(frozen=True)
class Account:
    """An account of the machine other than root."""

    name: str
    uid: int
    gid: int

    def as_popen(self) -> dict[str, Any]:
        """Return the arguments with which subprocess.Popen runs a program under this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can_enter(self, folder: Path) -> bool:
        """Return whether the account can reach the folder through all its parents."""
        command = ["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)]
        try:
            result = subprocess.run(  # noqa: S603 - a fixed command and one argument
                command, check=False, capture_output=True, cwd="/", **self.as_popen()
            )
        except PermissionError:
            raise DatabaseUnusable(
                f"Root may not change to the account {self.name!r} here, and PostgreSQL does not "
                "run as root. Nothing was started. Start as an ordinary user, or set DATABASE_URL."
            ) from None
        return result.returncode == 0


def server_account(data: Path | None) -> Account | None:
    """Return the account to change to, or None if the server runs as the current user.

    ``data`` is a folder that the server already owns, if there is one. Raises DatabaseUnusable if there
    is no account that can run the server.
    """
    if os.geteuid() != 0:
        _get_entry(os.geteuid())
        return None
    if data and (uid := data.stat().st_uid) != 0:
        return _account(_get_entry(uid))
    for name in SERVER_ACCOUNTS:
        try:
            return _account(pwd.getpwnam(name))
        except KeyError:
            continue
    raise DatabaseUnusable(
        "PostgreSQL does not run as root, and this machine has neither an account `postgres` nor "
        "`nobody` to lend it. Nothing was started. Start as an ordinary user, or set DATABASE_URL."
    )


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _get_entry(uid: int) -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(uid)
    except KeyError:
        raise DatabaseUnusable(
            f"The user id {uid} has no entry among the accounts of this machine, and PostgreSQL "
            "does not run without one. Nothing was started. Start under an account that has a "
            "name, or set DATABASE_URL to a PostgreSQL that runs elsewhere."
        ) from None
