"""Under whose name the server runs: PostgreSQL refuses root, so root lends it another account."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hrims.errors import DatabaseUnusable

LENT = ("postgres", "nobody")
"""Accounts that root may run the server under, best first; none is ever added."""


@dataclass(frozen=True)
class Account:
    """An account of the machine that is not root's."""

    name: str
    uid: int
    gid: int

    def as_popen(self) -> dict[str, Any]:
        """What makes subprocess.Popen run a program under this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can_enter(self, folder: Path) -> bool:
        """Whether the account reaches the folder through everything above it."""
        command = ["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)]
        try:
            done = subprocess.run(  # noqa: S603 - fixed words and one argument
                command, check=False, capture_output=True, cwd="/", **self.as_popen()
            )
        except PermissionError:
            raise DatabaseUnusable(
                f"Root may not change to the account {self.name!r} here, and PostgreSQL does not "
                "run as root. Nothing was started. Start as an ordinary user, or set DATABASE_URL."
            ) from None
        return done.returncode == 0


def server_account(keeps_data: Path | None) -> Account | None:
    """The account to change to, or None when the server runs as whoever we are.

    ``keeps_data`` is a folder that the server already owns, if there is one.
    Raises DatabaseUnusable when there is no account to run it under.
    """
    if os.geteuid() != 0:
        _must_be_known(os.geteuid())
        return None
    if keeps_data and (uid := keeps_data.stat().st_uid) != 0:
        return _account(_must_be_known(uid))
    for name in LENT:
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


def _must_be_known(uid: int) -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(uid)
    except KeyError:
        raise DatabaseUnusable(
            f"The user id {uid} has no entry among the accounts of this machine, and PostgreSQL "
            "does not run without one. Nothing was started. Start under an account that has a "
            "name, or set DATABASE_URL to a PostgreSQL that runs elsewhere."
        ) from None
