"""Checks of ``hrims up`` before it reports that everything is ready.

Input: the settings. Output: nothing, or a message about the obstacle.
"""

import errno
import fcntl
import http.client
import json
import os
import socket
from typing import IO, Any

from hrims.access import password_rules, users
from hrims.cli.banner import reachable_host
from hrims.config import Settings
from hrims.db import Connection
from hrims.errors import ConfigError, InvalidInput
from hrims.installation import START_COMMAND


def lock_state_dir(settings: Settings) -> IO[str]:
    """Lock the state directory until the returned file is closed.

    Raises ConfigError if another ``hrims up`` has locked it, or if it cannot be used.
    """
    lock = _open_lock(settings)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        process = lock.read().strip() or "unknown"
        lock.close()
        raise ConfigError(
            f"HRIMS Sync already runs on {settings.state_dir} (process {process}). Nothing was started. "
            "Stop it there, or give this one a folder and a port of its own: "
            f"HRIMS_STATE_DIR=… PORT=… {START_COMMAND}"
        ) from None
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


def _open_lock(settings: Settings) -> IO[str]:
    try:
        # As root, the database runs under another account, which must be able to traverse this folder.
        mode = 0o711 if os.geteuid() == 0 else 0o700
        settings.state_dir.mkdir(mode=mode, parents=True, exist_ok=True)
        return (settings.state_dir / "up.lock").open("a+", encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"The folder {settings.state_dir} cannot be used ({error.strerror}). Nothing was started. "
            "Give another one in HRIMS_STATE_DIR."
        ) from None


def check_port(settings: Settings) -> None:
    """Raise ConfigError if the web process cannot listen on its port."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise ConfigError(
            f"Port {settings.port} on {settings.host} cannot be used ({error.strerror}). Nothing was "
            f"started. {_suggest(settings, error)}"
        ) from None


def _suggest(settings: Settings, error: OSError) -> str:
    free_port = settings.port + 1 if 1024 <= settings.port < 65535 else 9002
    change = f"PORT={free_port} {START_COMMAND}"
    if error.errno == errno.EADDRINUSE:
        return f"Stop what uses it, or name another one: {change}"
    if error.errno in {errno.EACCES, errno.EPERM}:
        return f"This user may not use it. Name another one: {change}"
    return "Set HRIMS_HOST to an address of this machine, like 127.0.0.1 or 0.0.0.0."


def check_password(conn: Connection, settings: Settings) -> None:
    """Raise ConfigError if HRIMS_ADMIN_PASSWORD is needed and not acceptable.

    It is needed only for the first user.
    """
    if settings.admin_password and users.has_no_users(conn):
        try:
            password_rules.check(settings.admin_password, users.FIRST_ADMINISTRATOR)
        except InvalidInput as error:
            raise ConfigError(f"HRIMS_ADMIN_PASSWORD is wrong. {error}") from None


NEEDED = ("database", "schema", "disk", "worker")
"""The checks of ``/readyz`` without which the product does not work. HRIMS may be down."""


def find_missing(settings: Settings) -> str:
    """Return what is missing until the product is ready, according to its ``/readyz``.

    The result is empty if nothing is missing.
    """
    connection = http.client.HTTPConnection(reachable_host(settings), settings.port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        checks: dict[str, Any] = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError):
        return "the web process does not answer"
    finally:
        connection.close()
    if checks.get("database") and not checks.get("writable", True):
        return "the database is read-only"
    message = checks.pop("message", "")
    missing = [name for name in NEEDED if checks.get(name, True) is False]
    if not missing:
        return ""
    return f"no {' and no '.join(missing)} yet{f' ({message})' if message else ''}"
