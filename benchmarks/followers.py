"""Lag of an event after its commit, with 500 followers of one run: at most 50 ms at the 95th percentile.

Half of them hold event streams, half poll job-status every two seconds. Pages are committed 3 times a second.
"""

import os
import random
import selectors
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.web_environment import WebEnvironment, line, percentile, web_environment
from hrims.access.actor import system
from hrims.jobs import enqueue

STREAMS = POLLERS = 250
POLL_SECONDS = 2.0
COMMITS = 60
LIMIT = 0.050
SETTINGS = {
    "HRIMS_WEB_PROCESSES": "2",
    "HRIMS_WEB_THREADS": "400",
    "HRIMS_MAX_STREAMS": "300",
    "HRIMS_STREAMS_PER_USER": "500",
    "HRIMS_CONNECTIONS_PER_ADDRESS": "0",
}


@dataclass
class Followers:
    """The sockets of all followers in one loop, and what they measured in seconds."""

    url: str
    token: str
    job: int
    lags: list[float] = field(default_factory=list)
    polls: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._asked_at: dict[socket.socket, float] = {}
        self._poll_at: dict[socket.socket, float] = {}
        self._committed: dict[bytes, float] = {}

    def connect(self) -> None:
        """Open every stream and every polling connection."""
        now = time.monotonic()
        for number in range(STREAMS):
            stream = self._open("stream")
            self._send(stream, f"/api/hrims/sync-status/{self.job}")
            if number % 25 == 24:
                self.run(0.2)
        for number in range(POLLERS):
            self._poll_at[self._open("poll")] = now + POLL_SECONDS * number / POLLERS
        self.run(2 * POLL_SECONDS)

    def committed(self, saved: int, at: float) -> None:
        """Note the time of a commit, before the events of it arrive."""
        self._committed[b'"saved": %d,' % saved] = at

    def run(self, seconds: float) -> None:
        """Read what arrives, and poll, for some seconds."""
        until = time.monotonic() + seconds
        while (now := time.monotonic()) < until:
            for poller, at in self._poll_at.items():
                if at <= now and poller not in self._asked_at:
                    self._asked_at[poller] = now
                    self._poll_at[poller] = now + POLL_SECONDS
                    self._send(poller, f"/api/hrims/job-status/{self.job}")
            for key, _ in self._selector.select(0.002):
                self._read(key)

    def _read(self, key: selectors.SelectorKey) -> None:
        client = key.fileobj
        assert isinstance(client, socket.socket)
        data, now = client.recv(65536), time.monotonic()
        assert data, "the server closed a connection"
        if key.data == "poll":
            self.polls.append(now - self._asked_at.pop(client, now))
            return
        for marker, at in self._committed.items():
            if marker in data:
                self.lags.append(now - at)

    def _open(self, kind: str) -> socket.socket:
        address = urlsplit(self.url)
        client = socket.create_connection((address.hostname, address.port))
        self._selector.register(client, selectors.EVENT_READ, kind)
        return client

    def _send(self, client: socket.socket, path: str) -> None:
        client.sendall(
            f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.token}\r\n\r\n".encode()
        )


def main() -> None:
    """Print the lag of events and the duration of polls, and what the web processes used."""
    with web_environment(SETTINGS) as on:
        job = _run(on)
        followers = Followers(on.url, on.token, job)
        followers.connect()
        followers.lags.clear()
        followers.polls.clear()
        before, started_at = _cpu_seconds(on.pid), time.monotonic()
        for saved in range(1, COMMITS + 1):
            followers.run(random.uniform(0.2, 0.45))  # noqa: S311 - not for security
            on.conn.execute("UPDATE run_progress SET saved = %s WHERE run_id = %s", (saved, job))
            followers.committed(saved, time.monotonic())
        followers.run(1.0)
        cpu, seconds = _cpu_seconds(on.pid) - before, time.monotonic() - started_at
        memory = sum(_resident_mb(pid) for pid in _processes(on.pid))
    print(line("an event after its commit", followers.lags))
    print(line("a poll", followers.polls))
    print(f"  web processes: {cpu / seconds:.2f} cores, {memory:.0f} MB together")
    received = len(followers.lags) / (STREAMS * COMMITS)
    lag = percentile(followers.lags, 95)
    verdict = "holds" if lag < LIMIT and received == 1 else "DOES NOT HOLD"
    print(f"  {received:.1%} of the events came; {lag * 1000:.1f} ms at the 95th percentile: {verdict}")


def _run(on: WebEnvironment) -> int:
    return enqueue.enqueue_run(
        on.conn,
        system("benchmark"),
        institution_id=1,
        identifier_type="votecode",
        identifier="001",
    ).run_id


def _processes(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


def _cpu_seconds(pid: int) -> float:
    fields = [Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split() for one in _processes(pid)]
    return sum(int(item[11]) + int(item[12]) for item in fields) / os.sysconf("SC_CLK_TCK")


def _resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024 / 1024


if __name__ == "__main__":
    main()
