"""Checks of the product. Input: a connection or a folder. Output: what is wrong, and what to do."""

import shutil
import time
from pathlib import Path
from typing import Final, Literal, NamedTuple

import psycopg

from hrims.config import Settings
from hrims.db import Connection
from hrims.installation import START_COMMAND
from hrims.jobs.rate_limit.store import read_queue
from hrims.jobs.workers import store as workers
from hrims.jobs.workers.store import Pool
from hrims.monitoring import store
from hrims.vault import Vault
from hrims.vault.errors import SecretUnreadable
from hrims.vault.store import inspect
from hrims.version import VERSION

MB: Final = 1024 * 1024

LOW_FACTOR: Final = 5
"""Free space counts as low below this multiple of the space below which the product is not ready."""

MAX_SKEW: Final = 2.0
"""Seconds by which a clock may differ from the database's."""

MAX_WAIT: Final = 15 * 60.0
"""Seconds for which a run may wait that could start."""

PROBE_MB: Final = 8
"""Size of the table by which a database proves that its disk is not full."""

OTHER_KEY: Final = (
    "Give every machine the HRIMS_ENCRYPTION_KEY, or the key file, of the machine that encrypted them. "
    "If that key is lost: hrims db rotate-key --discard-unreadable"
)

LOCAL_ONLY: Final = "only requests for this machine's addresses are served; HRIMS_HOSTS names no host"

State = Literal["ok", "warning", "amiss"]


class Check(NamedTuple):
    """The result of a check: its name, its state, what was found and what to do."""

    name: str
    state: State
    message: str
    action: str = ""

    @property
    def text(self) -> str:
        """The message and what to do."""
        return f"{self.message} {self.action}".strip()


def has_space(folder: Path, min_free_mb: int) -> bool:
    """Return whether the disk of a folder has the space that the product needs; True if it is missing."""
    free = _free_mb(folder)
    return free is None or free >= min_free_mb


def check_disk(folder: Path, min_free_mb: int) -> Check:
    """Check the free space where the embedded database lives."""
    free = _free_mb(folder)
    if free is None:
        return Check("disk", "ok", f"{folder} does not exist yet")
    message = f"{free:,} MB are free where {folder} is"
    if free >= LOW_FACTOR * min_free_mb:
        return Check("disk", "ok", message)
    message += f" (HRIMS_MIN_FREE_MB is {min_free_mb:,})"
    action = "Delete other files there, or move the state directory to a larger disk."
    if free >= min_free_mb:
        return Check("disk", "warning", f"{message}; that is little.", action)
    message = f"{message}: the disk is full. Saved data is kept; nothing new may be saved."
    return Check("disk", "amiss", message, action)


def _free_mb(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(folder).free // MB
    except OSError:
        return None


def check_space_of_server(conn: Connection) -> Check:
    """Check that the database can store more data. It stores some in a temporary table and deletes it."""
    try:
        store.probe_space(conn, PROBE_MB)
    except psycopg.errors.DiskFull:
        message = "The database's disk is full. Saved data is kept; nothing new can be saved."
        return Check("disk", "amiss", message, "Free space on the database's server. Runs then continue.")
    return Check("disk", "ok", f"the database stores {PROBE_MB} MB more")


def check_clocks(conn: Connection) -> Check:
    """Compare the clocks of this host and of the workers' hosts with the database's."""
    here = time.time() - store.read_clock(conn)
    apart = [f"this machine {_describe_skew(here)}"] if abs(here) > MAX_SKEW else []
    apart += [f"{host} {_describe_skew(ahead)}" for host, ahead in store.list_skewed_hosts(conn, MAX_SKEW)]
    if apart:
        message = f"Clocks differ from the database's: {', '.join(apart)}."
        action = "Synchronize them (NTP). Times of retries and in logs are wrong until then."
        return Check("clocks", "warning", message, action)
    return Check("clocks", "ok", f"within {MAX_SKEW:.0f} s of the database's")


def _describe_skew(ahead: float) -> str:
    return f"{abs(ahead):,.0f} s {'ahead' if ahead > 0 else 'behind'}"


def check_hosts(settings: Settings) -> Check:
    """Name the hosts that a web process with these settings serves. Other machines must serve the same."""
    names = ", ".join(sorted(settings.served_hosts))
    message = f"requests for {names} and this machine's addresses are served" if names else LOCAL_ONLY
    return Check("hosts", "ok", message)


def check_secrets(conn: Connection, settings: Settings) -> Check:
    """Check that the keys of this process decrypt every stored secret."""
    vault = Vault(settings)
    try:
        found = inspect(conn, vault)
    except SecretUnreadable as error:
        return Check("secrets", "amiss", str(error))
    if found.unreadable:
        message = f"The key in {vault.source} does not decrypt {', '.join(found.unreadable)}."
        return Check("secrets", "amiss", message, OTHER_KEY)
    if vault.source.is_exposed:
        message = f"Other users of this machine may read {vault.source}."
        return Check("secrets", "warning", message, f"Run: chmod 600 {vault.source}")
    if found.older or found.clear:
        message = f"{found.older} stored secrets use an older key, and {found.clear} are in clear."
        return Check("secrets", "warning", message, "Run: hrims db rotate-key")
    if not found.current:
        return Check("secrets", "ok", "none is stored")
    message = f"{found.current} stored, encrypted with the key in {vault.source}"
    if settings.database_url and vault.source.file:
        message += "; other machines need it too"
    return Check("secrets", "ok", message)


def check_breakers(conn: Connection) -> Check:
    """Check whether live workers can ask HRIMS: they have a connection, and no circuit breaker is open."""
    unable = store.list_unable_workers(conn)
    if unable:
        problems = [f"{host} (process {pid}): {problem}" for host, pid, problem in unable]
        message = f"Workers take no run that needs HRIMS: {' '.join(problems)}"
        return Check("breaker", "amiss", message, "Runs wait, and start within seconds after that.")
    routes = store.list_open_breakers(conn)
    if not routes:
        return Check("breaker", "ok", "workers ask HRIMS")
    opened = [f"since {at:%Y-%m-%d %H:%M:%S} UTC on {host}: {reason}" for host, at, reason in routes]
    message = f"Workers do not ask HRIMS {' And '.join(opened)}"
    return Check("breaker", "amiss", message, "Runs wait and continue when HRIMS answers a probe.")


def check_workers(conn: Connection) -> Check:
    """Check that every pool has a live worker of this version."""
    alive = workers.count_alive(conn)
    unserved = [pool for pool in workers.list_pools(conn) if pool.has_no_worker]
    if not alive:
        return Check("worker", "amiss", "No worker is running; runs wait.", _describe_start(conn))
    if unserved:
        return Check("worker", "amiss", *_describe_unserved(unserved))
    if outdated := store.list_outdated_hosts(conn):
        message = f"Workers of another version than {VERSION} run on {', '.join(outdated)}."
        return Check("worker", "warning", message, "Install this version there and restart them.")
    queue = read_queue(conn)
    message = "1 worker is alive" if alive == 1 else f"{alive} workers are alive"
    return Check(
        "worker",
        "ok",
        f"{message}; no run starts: {queue.paused_by} paused the queue" if queue.paused_at else message,
    )


def _describe_start(conn: Connection) -> str:
    start = f"Start one: hrims worker, or all: {START_COMMAND}"
    silent = store.list_silent_workers(conn)
    if not silent:
        return start
    last = ", ".join(f"process {pid} on {host} {seconds:.0f} s ago" for host, pid, seconds in silent)
    return f"Last signs of life: {last}. If a process is there, restart it. Otherwise start one: hrims worker"


def _describe_unserved(pools: list[Pool]) -> tuple[str, str]:
    names = " and ".join(
        f"the pool {pool.name}" if pool.name else "institutions of no pool" for pool in pools
    )
    commands = " and ".join(
        f"hrims worker --pool {pool.name}" if pool.name else "hrims worker" for pool in pools
    )
    return f"No worker serves {names}: their runs wait.", f"Start one: {commands}."


def check_queue(conn: Connection) -> Check:
    """Check that no run that could start waits for long."""
    waiting, seconds = store.read_waiting(conn)
    if seconds <= MAX_WAIT or read_queue(conn).paused_at:
        return Check("queue", "ok", f"{waiting} {'run waits' if waiting == 1 else 'runs wait'}")
    message = f"{waiting} runs wait, the oldest for {seconds / 60:,.0f} minutes."
    action = "The page “Queue” says why each waits. Start more workers, or raise the limit of starts."
    return Check("queue", "warning", message, action)
