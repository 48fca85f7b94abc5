"""Tests a connection step by step: name, TCP, TLS, sign-in, one record.

Input: a connection. Output: each step with its time, what happened, and what to do. No step shows a record.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, Literal, NamedTuple
from urllib.parse import urlsplit

from hrims.addresses import Resolve, parse_ip
from hrims.remote.connection import requests
from hrims.remote.connection.model import RemoteConnection
from hrims.remote.connection.reach import Failed, Place, connect, handshake, resolve_in_thread, resolve_name

State = Literal["ok", "warning", "failed", "skipped"]

NAMES: Final = ("Name", "TCP connection", "TLS", "Sign-in", "One record")

WEB_SECONDS: Final = 45.0
"""Seconds that a test takes at most in a web request."""

STEP_SECONDS: Final = 10.0
"""Seconds that the steps before the first request take at most, each."""


class Step(NamedTuple):
    """A step of a test. ``milliseconds`` is None if it did not run."""

    name: str
    state: State
    message: str
    action: str = ""
    milliseconds: int | None = None


class Found(NamedTuple):
    """What a step found."""

    message: str
    state: State = "ok"
    action: str = ""


Work = Callable[[], Awaitable[Found]]


async def check_connection(
    connection: RemoteConnection, seconds: float, look_up: Resolve = resolve_in_thread
) -> list[Step]:
    """Return the steps of a test that takes at most ``seconds`` seconds. A failed step ends it."""
    if connection.problem or not connection.settings.base_url:
        return [Step("Settings", "failed", connection.problem or ""), *_skipped(NAMES)]
    test = _Test(connection, time.monotonic() + seconds, look_up)
    steps: list[Step] = []
    for name, work in test.steps:
        steps.append(await _run(name, work, test.until))
        if steps[-1].state == "failed":
            break
    return [*steps, *_skipped(NAMES[len(steps) :])]


def has_failed(steps: list[Step]) -> bool:
    """Return whether a step failed."""
    return any(step.state == "failed" for step in steps)


def _skipped(names: tuple[str, ...]) -> list[Step]:
    return [Step(name, "skipped", "Not tested, because an earlier step failed.") for name in names]


async def _run(name: str, work: Work, until: float) -> Step:
    began_at = time.monotonic()
    try:
        async with asyncio.timeout(max(0.001, until - began_at)):
            found = await work()
    except Failed as error:
        found = Found(error.message, "failed", error.action)
    except TimeoutError:
        message = f"No result in {time.monotonic() - began_at:.0f} s, when the time of this test was over."
        found = Found(message, "failed", "HRIMS is slow at the moment, or the network is. Try again later.")
    milliseconds = round(1000 * (time.monotonic() - began_at))
    return Step(name, found.state, found.message, found.action, milliseconds)


class _Test:
    """The steps of one test. Each uses what the steps before found."""

    def __init__(self, connection: RemoteConnection, until: float, look_up: Resolve) -> None:
        self.until, self._connection, self._look_up = until, connection, look_up
        settings = connection.settings
        parts = urlsplit(settings.base_url or "")
        port = parts.port or (443 if parts.scheme == "https" else 80)
        self._place = Place(parts.hostname or "", port, parts.scheme == "https")
        self._seconds = min(STEP_SECONDS, settings.connect_timeout)
        self._addresses: list[str] = []
        self._address = ""

    @property
    def steps(self) -> list[tuple[str, Work]]:
        """Return the steps in their order."""
        work: tuple[Work, ...] = (self._name, self._tcp, self._tls, self._sign_in, self._one_record)
        return list(zip(NAMES, work, strict=True))

    async def _name(self) -> Found:
        host = self._place.host
        self._addresses = await resolve_name(
            self._place, self._seconds, self._look_up, is_checked=self._connection.is_checked
        )
        if parse_ip(host):
            return Found(f"{host} is an IP address. No name is needed.")
        noun = "address" if len(self._addresses) == 1 else "addresses"
        return Found(f"{host} has the IP {noun} {' and '.join(self._addresses)}.")

    async def _tcp(self) -> Found:
        self._address = await connect(self._place, self._addresses, self._seconds)
        return Found(f"{self._address} accepts connections on port {self._place.port}.")

    async def _tls(self) -> Found:
        return Found(*await handshake(self._place, self._address, self._seconds))

    async def _sign_in(self) -> Found:
        return Found(*await requests.sign_in(self._connection.settings, self._address, self.until))

    async def _one_record(self) -> Found:
        return Found(*await requests.fetch_record(self._connection.settings, self._address, self.until))
