"""What ``hrims up`` makes sure of before it says that all is up: settings come in; nothing, or words
about what is in the way, go out.
"""

import fcntl
import http.client
import json
import os
import socket
from typing import IO

from hrims.access import passwords, users
from hrims.cli.banner import reachable_host
from hrims.config import Settings
from hrims.db import Connection
from hrims.errors import ConfigError, InvalidInput


def only_one(settings: Settings) -> IO[str]:
    """Holds the state directory until the file that is returned is closed.

    Raises ConfigError when another ``hrims up`` holds it, or it cannot be used.
    """
    held = _open_lock(settings)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        held.seek(0)
        process = held.read().strip() or "unknown"
        held.close()
        raise ConfigError(
            f"HRIMS Sync already runs on {settings.state_dir} (process {process}). Nothing was started. "
            "Stop it there, or give this one a folder and a port of its own: "
            "HRIMS_STATE_DIR=… PORT=… make run"
        ) from None
    held.truncate(0)
    held.write(f"{os.getpid()}\n")
    held.flush()
    return held


def _open_lock(settings: Settings) -> IO[str]:
    try:
        # Root's database runs under another account, which must get through.
        mode = 0o711 if os.geteuid() == 0 else 0o700
        settings.state_dir.mkdir(mode=mode, parents=True, exist_ok=True)
        return (settings.state_dir / "up.lock").open("a+", encoding="utf-8")
    except OSError as reason:
        raise ConfigError(
            f"The folder {settings.state_dir} cannot be used ({reason.strerror}). Nothing was started. "
            "Give another one in HRIMS_STATE_DIR."
        ) from None


def check_port(settings: Settings) -> None:
    """Raises ConfigError when the web process could not listen."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as reason:
        other = settings.port + 1 if 1024 <= settings.port < 65535 else 9002
        raise ConfigError(
            f"Port {settings.port} on {settings.host} cannot be used ({reason.strerror}). Nothing was "
            f"started. Stop what uses it, or name another one: PORT={other} make run"
        ) from None


def check_password(conn: Connection, settings: Settings) -> None:
    """Raises ConfigError when HRIMS_ADMIN_PASSWORD is wanted, for the first user, and does not do."""
    if settings.admin_password and users.nobody_yet(conn):
        try:
            passwords.check(settings.admin_password)
        except InvalidInput as reason:
            raise ConfigError(f"HRIMS_ADMIN_PASSWORD is wrong. {reason}") from None


def what_lacks(settings: Settings) -> str:
    """What the whole product lacks to be ready, by its own ``/readyz``; empty when nothing."""
    ask = http.client.HTTPConnection(reachable_host(settings), settings.port, timeout=5)
    try:
        ask.request("GET", "/readyz")
        checks: dict[str, bool] = json.loads(ask.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError):
        return "the web process does not answer"
    finally:
        ask.close()
    if checks.get("database") and not checks.get("writable", True):
        return "the database is read-only"
    lacks = [name for name, well in checks.items() if not well and name != "ok"]
    return f"no {' and no '.join(lacks)} yet" if lacks else ""
