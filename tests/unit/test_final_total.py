"""The end of a list counts only if HRIMS gave it after its last page: an earlier total may be stale."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from hrims.errors import RemoteFailed
from hrims.sync.list_end.end import End
from hrims.sync.list_end.final_total import FinalTotalProbe


class Ends:
    """Requests for the end of a list, which the test answers."""

    def __init__(self) -> None:
        self.requests: list[asyncio.Future[End]] = []

    async def request(self) -> End:
        self.requests.append(asyncio.get_running_loop().create_future())
        return await self.requests[-1]

    async def answer(self, total: int) -> None:
        """Answer the last request."""
        await asyncio.sleep(0)
        self.requests[-1].set_result(End(total, None))
        await asyncio.sleep(0)


@pytest.fixture
def ends() -> Ends:
    return Ends()


@pytest.fixture
async def probe(ends: Ends) -> AsyncIterator[FinalTotalProbe]:
    probe = FinalTotalProbe(ends.request)
    yield probe
    await probe.cancel()


async def test_it_works(probe: FinalTotalProbe, ends: Ends) -> None:
    probe.page_returned(is_exhausted=False)
    assert await probe.end() is None
    probe.page_returned(is_exhausted=True)
    await ends.answer(640)
    assert await probe.end() == End(640, None)


async def test_an_end_from_before_the_last_page_is_stale(probe: FinalTotalProbe, ends: Ends) -> None:
    probe.page_returned(is_exhausted=True)
    await ends.answer(640)
    await asyncio.sleep(0.001)
    probe.page_returned(is_exhausted=True)
    assert await probe.end() is None
    assert len(ends.requests) == 1


async def test_an_end_that_comes_after_all_pages_counts(probe: FinalTotalProbe, ends: Ends) -> None:
    probe.page_returned(is_exhausted=True)
    await asyncio.sleep(0.001)
    probe.page_returned(is_exhausted=True)
    await ends.answer(641)
    assert await probe.end() == End(641, None)


async def test_a_further_page_cancels_the_request(probe: FinalTotalProbe, ends: Ends) -> None:
    probe.page_returned(is_exhausted=True)
    await asyncio.sleep(0)
    probe.page_requested()
    await asyncio.sleep(0)
    assert ends.requests[0].cancelled()
    assert await probe.end() is None
    probe.page_returned(is_exhausted=True)
    await ends.answer(642)
    assert await probe.end() == End(642, None)


async def test_an_end_that_hrims_does_not_give_is_requested_again(probe: FinalTotalProbe, ends: Ends) -> None:
    probe.page_returned(is_exhausted=True)
    await asyncio.sleep(0)
    ends.requests[0].set_exception(RemoteFailed("it failed"))
    assert await probe.end() is None
