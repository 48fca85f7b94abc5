"""Tests of a connection, and what they say. Input: an address. Output: the steps."""

from hrims.config import Settings
from hrims.remote.connection.check import NAMES, Step, check_connection
from hrims.remote.connection.model import RemoteConnection, Source, StoredConnection, resolve_connection

KEY, TOKEN = "k3y-of-tests", "t0ken-of-tests"


def connection(address: str, *, from_page: bool = False, **settings: object) -> RemoteConnection:
    """Return a connection whose address comes from the environment or the page."""
    values: dict[str, object] = {"api_key": KEY, "token": TOKEN, **settings}
    given = Settings(base_url=address, **values)  # type: ignore[arg-type] # each is checked by its own test
    made = resolve_connection(given, StoredConnection())
    sources = {**made.sources, "base_url": Source.PAGE} if from_page else made.sources
    return RemoteConnection(made.settings, sources)


async def check(address: str, *, from_page: bool = False, **settings: object) -> list[Step]:
    return await check_connection(connection(address, from_page=from_page, **settings), 20)


def states(steps: list[Step]) -> list[str]:
    assert [step.name for step in steps] == list(NAMES)
    return [step.state for step in steps]


def failure(steps: list[Step], name: str) -> str:
    """Return what the failed step says. Each step before it worked, and each after it was skipped."""
    number = NAMES.index(name)
    assert states(steps)[number:] == ["failed", *["skipped"] * (len(NAMES) - number - 1)], steps
    assert not {"failed", "skipped"} & set(states(steps)[:number])
    assert all((step.milliseconds is None) == (step.state == "skipped") for step in steps)
    text = f"{steps[number].message} {steps[number].action}"
    for secret in (KEY, TOKEN):
        assert secret not in repr(steps)
    return text
