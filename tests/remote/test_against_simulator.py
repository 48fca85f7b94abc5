"""The client against the simulator, which was written apart from it: every failure, every person."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from hrims.employees.fields import Row
from hrims.employees.mapping import map_record
from hrims.errors import (
    RemoteBadRequest,
    RemoteCredentials,
    RemoteError,
    RemoteFailed,
    RemoteGarbled,
    RemoteTimeout,
    RemoteTooLarge,
    RemoteUnknown,
    RemoteUnreachable,
)
from hrims.remote.client import Remote
from hrims.remote.wire import Person, Unreadable
from hrims.simulator.failures import FAILURES
from tests.remote.servers import API_KEY, TOKEN, settings
from tests.support.simulated import Simulator

VOTE, PEOPLE = "001", 250

BECOMES: dict[str, type[RemoteError]] = {
    "body500": RemoteFailed,
    "body400": RemoteBadRequest,
    "body404": RemoteUnknown,
    "timeout": RemoteTimeout,
    "reset": RemoteUnreachable,
    "closed": RemoteUnreachable,
    "half_json": RemoteGarbled,
    "cut_short": RemoteUnreachable,
    "html": RemoteGarbled,
    "empty": RemoteGarbled,
    "garbage": RemoteGarbled,
    "slow_drip": RemoteTimeout,
    "endless": RemoteTooLarge,
    "wrong_page_number": RemoteGarbled,
    "too_many_records": RemoteTooLarge,
    "wrong_total": RemoteGarbled,
    "data_null": RemoteGarbled,
    "data_text": RemoteGarbled,
    "not_an_object": RemoteGarbled,
    "http400": RemoteBadRequest,
    "http401": RemoteCredentials,
    "http403": RemoteCredentials,
    "http404": RemoteBadRequest,
    "http413": RemoteTooLarge,
    **dict.fromkeys(["http429", "http500", "http502", "http503", "http504"], RemoteFailed),
}
GIVES_A_PAGE = {"repeat_page", "short_page", "wrong_types", "odd_record"}
DETAILS: dict[str, dict[str, Any]] = {"timeout": {"seconds": 30}}


@pytest.fixture(scope="module")
def running() -> Iterator[Simulator]:
    with Simulator(sizes={VOTE: PEOPLE}, api_key=API_KEY, token=TOKEN) as simulator:
        yield simulator


@pytest.fixture
def simulator(running: Simulator) -> Simulator:
    running.reset()
    return running


@pytest.fixture
async def remote(simulator: Simulator) -> AsyncIterator[Remote]:
    async with Remote(settings(), base_url=simulator.url) as remote:
        yield remote


def test_every_failure_of_the_simulator_is_here() -> None:
    assert set(FAILURES) == set(BECOMES) | GIVES_A_PAGE


@pytest.mark.parametrize("kind", list(BECOMES))
async def test_classification_of_failures(simulator: Simulator, remote: Remote, kind: str) -> None:
    simulator.fail(kind, page=1, times=1, **DETAILS.get(kind, {}))
    patience = 0.5 if BECOMES[kind] is RemoteTimeout else 150
    async with Remote(settings(request_timeout=patience), base_url=simulator.url) as asking:
        with pytest.raises(BECOMES[kind]):
            await asking.page("votecode", VOTE, 1, 100)
    assert len((await remote.page("votecode", VOTE, 1, 100)).records) == 100


async def test_100_000_small_records_are_refused(simulator: Simulator) -> None:
    simulator.fail("too_many_records", tiny=True)
    async with Remote(settings(max_response_mb=64), base_url=simulator.url) as remote:
        with pytest.raises(RemoteGarbled, match="100000 records"):
            await remote.page("votecode", VOTE, 0, 100)


@pytest.mark.parametrize("kind", ["wrong_types", "odd_record"])
async def test_a_broken_record_costs_itself(simulator: Simulator, remote: Remote, kind: str) -> None:
    simulator.fail(kind, index=3)
    page = await remote.page("votecode", VOTE, 0, 10)
    broken = [isinstance(record, Unreadable) for record in page.records]
    assert broken == [place == 3 for place in range(10)]


async def test_everybody_arrives_as_the_simulator_tells_them(simulator: Simulator, remote: Remote) -> None:
    pages = [await remote.page("votecode", VOTE, number, 100) for number in range(3)]
    rows = [map_record(record) for page in pages for record in page.records]
    answers = [
        {name: str(value) if value is not None else None for name, value in row._asdict().items()}
        for row in rows
        if isinstance(row, Row)
    ]
    expected = [
        {k: v for k, v in person.items() if k != "institution"} for person in simulator.people(vote=VOTE)
    ]
    assert answers == expected
    assert {page.total for page in pages} == {PEOPLE} == {len(answers)}


async def test_one_person_and_an_unknown_one(simulator: Simulator, remote: Remote) -> None:
    someone = simulator.people(vote=VOTE)[0]["zan_id"]
    record = await remote.person(someone)
    assert isinstance(record, Person)
    assert map_record(record)[0] == someone
    with pytest.raises(RemoteUnknown):
        await remote.person("000000001")


async def test_an_unknown_vote_code(remote: Remote) -> None:
    with pytest.raises(RemoteUnknown):
        await remote.page("votecode", "999", 0, 10)


async def test_the_probe(simulator: Simulator, remote: Remote) -> None:
    await remote.check()
    async with Remote(settings(token="stale"), base_url=simulator.url) as stranger:
        with pytest.raises(RemoteCredentials):
            await stranger.check()
