"""The requests of a test: sign-in and one record. Input: settings. Output: what HRIMS answered, in words.

The record is decoded and dropped. No message repeats anything of it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, Literal, TypeVar

import msgspec

from hrims.config import Settings
from hrims.errors import ConfigError, RemoteCredentials, RemoteError, RemoteTimeout
from hrims.remote.client import Remote
from hrims.remote.connection.network import PinnedNetwork
from hrims.remote.connection.reach import Failed
from hrims.remote.wire import Page, Unreadable

TRIES: Final = 3
"""Requests of a step, because even a healthy HRIMS fails now and then."""

PAUSE: Final = 1.0
"""Seconds between two of them."""

MARGIN: Final = 0.5
"""Seconds before the end of a test at which a request must have ended."""

SLOW_SECONDS: Final = 5.0
"""Seconds of a request for no employee from which HRIMS counts as slow."""

Result = tuple[str, Literal["ok", "warning"], str]
"""A message, the state and what to do."""

T = TypeVar("T")


async def sign_in(settings: Settings, address: str, until: float) -> Result:
    """Request an employee that HRIMS does not have, which shows whether it accepts the credentials."""
    began_at = time.monotonic()
    try:
        tries = await _request(settings, address, until, Remote.check)
    except RemoteCredentials:
        raise Failed("HRIMS does not accept the credentials.", _advise(settings)) from None
    except RemoteTimeout as error:
        raise Failed(str(error), "HRIMS is slow at the moment. Try again later.") from None
    except (RemoteError, ConfigError) as error:
        raise Failed(str(error), "Check the address. Ask the operators of HRIMS.") from None
    again = "" if tries[1] == 1 else f" It answered the {'second' if tries[1] == 2 else 'third'} request."
    seconds = time.monotonic() - began_at
    if seconds < SLOW_SECONDS:
        return f"HRIMS accepts the credentials.{again}", "ok", ""
    message = f"HRIMS accepts the credentials but is slow: {seconds:.1f} s.{again}"
    return message, "warning", "Runs take longer; nothing is lost. Tell the operators of HRIMS."


async def fetch_record(settings: Settings, address: str, until: float) -> Result:
    """Request a list of one record."""
    try:
        page, _ = await _request(settings, address, until, lambda remote: remote.all_employees(0, 1))
    except RemoteCredentials:
        raise Failed("HRIMS does not admit these credentials to lists.", _advise(settings)) from None
    except RemoteTimeout:
        return (
            "HRIMS sent no record in the time of this test. Lists can take two minutes; runs wait that long.",
            "warning",
            "Test again later, or sync a small institution.",
        )
    except RemoteError as error:
        raise Failed(str(error), "Tell the operators of HRIMS.") from None
    return _describe(page)


def _describe(page: Page) -> Result:
    if not page.total:
        return (
            "HRIMS answers, and has no employee for these credentials.",
            "warning",
            "Is it the right HRIMS?",
        )
    if not page.records or isinstance(page.records[0], Unreadable):
        message = f"HRIMS counts {page.total:,} employees, and sent a record in an unexpected form."
        return message, "warning", "Sync a small institution, and look at its rejects."
    return f"HRIMS sent one of {page.total:,} records, in the expected form.", "ok", ""


async def _request(
    settings: Settings, address: str, until: float, ask: Callable[[Remote], Awaitable[T]]
) -> tuple[T, int]:
    """Return the answer, and how many requests it needed. Raises RemoteError, ConfigError."""
    # A little less than is left: the answer to a timeout also takes a moment.
    left = max(0.1, until - MARGIN - time.monotonic())
    hurried = msgspec.structs.replace(
        settings,
        connect_timeout=min(settings.connect_timeout, left),
        read_timeout=min(settings.read_timeout, left),
        request_timeout=min(settings.request_timeout, left),
    )
    async with Remote(hurried, network=PinnedNetwork(address)) as remote:
        for number in range(1, TRIES + 1):
            try:
                return await ask(remote), number
            except RemoteError as error:
                if not error.is_retryable or number == TRIES or isinstance(error, RemoteTimeout):
                    raise
                await asyncio.sleep(PAUSE)
    raise AssertionError("unreachable")


def _advise(settings: Settings) -> str:
    missing = [
        label for label, value in (("API key", settings.api_key), ("token", settings.token)) if not value
    ]
    if missing:
        return f"No {' and no '.join(missing)} is set. Enter what the operators of HRIMS gave you."
    return "Enter the API key and the token again, or ask the operators of HRIMS for new ones."
