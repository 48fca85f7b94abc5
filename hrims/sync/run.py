"""The story of one attempt at a run, from the checkpoint to the outcome."""

import logging
from dataclasses import replace

from hrims.errors import RemoteError, RemoteGarbled
from hrims.limits import breaker
from hrims.limits.slots import Slots
from hrims.sync import pages, readings, reconcile
from hrims.sync.page_fit.check import is_size_confirmed, use_known_size
from hrims.sync.page_fit.fit import has_small_pages
from hrims.sync.readings import EDGE, GLANCE
from hrims.sync.reconcile import Sum
from hrims.sync.repeats.resolve import resolve
from hrims.sync.repeats.verify import may_verify, verify
from hrims.sync.store import EDGES, FIRST, SECOND, THIRD
from hrims.sync.work import Reader, Work

FEW = 10
"""Missing people up to which the edges between pages are read again before everything is."""

log = logging.getLogger(__name__)


async def bring(work: Work) -> None:
    """Brings one institution up to date: goes on where the run stopped, saves page by page, reads again
    what does not add up, and ends the run with its outcome.

    Raises RemoteError when a page cannot be had, RemoteDown while HRIMS is not asked, Fenced when another
    attempt has taken over, Stopping between pages when the worker is asked to stop; the pages saved until
    then stay saved.
    """
    attempt, remote, pool, settings, _ = work
    await breaker.pass_through(pool, remote)
    try:
        # A place is held for as long as a silent worker is thought alive.
        async with Slots(pool, settings.max_in_flight, settings.silent_seconds) as slots:
            reader = Reader(*work, slots)
            await use_known_size(reader)
            counted, repaired = await _read_until_proven(reader)
            is_confirmed = await is_size_confirmed(reader, counted.total)
    except RemoteError as trouble:
        raise await breaker.suspect(pool, remote, settings, trouble) from trouble
    url = remote.address if is_confirmed else None
    outcome = await reconcile.finish(attempt, pool, settings, counted, repaired=repaired, base_url=url)
    log.info("run %s ended %s", attempt.run_id, outcome)


async def _read_until_proven(reader: Reader) -> tuple[Sum, bool]:
    """The sum that proves everybody, or the last one that does not; and whether it took a repair."""
    begun = await readings.begun(reader) - {FIRST}
    total = None if begun else await readings.read(reader, FIRST)
    counted = await _add_up(reader, [FIRST], total)
    if counted.proven and (not begun or EDGES in begun):
        if begun <= {EDGES} and (not await readings.took_long(reader) or await _edges_hold(reader)):
            return counted, False
        return await _read_again(reader, [FIRST, EDGES], [SECOND, THIRD])
    is_few = not begun and counted.steady and 0 < counted.missing <= FEW
    if EDGES in begun or (is_few and await has_small_pages(reader)):
        return await _read_edges(reader)
    return await _read_again(reader, [FIRST], [SECOND, THIRD])


async def _edges_hold(reader: Reader) -> bool:
    """Return whether the records beside each edge between two pages are on the page where the first reading
    met them. That shows a removal and an addition that leave the total unchanged.
    """
    if not await has_small_pages(reader):
        return False
    await _say(reader, "The sum adds up: looking at the edges between pages once more.")
    elsewhere = await readings.all_but_edges(reader, GLANCE)
    try:
        await readings.read(reader, EDGES, elsewhere, and_total=False)
    except RemoteGarbled as error:
        await _say_edges_unreadable(reader, error)
        return False
    await resolve(reader.attempt, reader.pool, [FIRST, EDGES])
    is_read = await readings.is_read(reader, EDGES, elsewhere)
    return is_read and await reconcile.edges_hold(reader.attempt, reader.pool)


async def _read_edges(reader: Reader) -> tuple[Sum, bool]:
    """Who moved from one page to another while it was read is near the edge between them."""
    await _say(reader, "The sum does not add up: reading the edges between pages again.")
    try:
        total = await readings.read(reader, EDGES, await readings.all_but_edges(reader, EDGE))
    except RemoteGarbled as error:
        await _say_edges_unreadable(reader, error)
    else:
        counted = await _add_up(reader, [FIRST, EDGES], total)
        if counted.proven:
            return counted, True
    return await _read_again(reader, [FIRST, EDGES], [SECOND, THIRD])


async def _read_again(reader: Reader, made: list[int], following: list[int]) -> tuple[Sum, bool]:
    """Whole readings until one proves everybody, or all together do. ``made`` are the readings before.

    The sum of a run that proves nothing is that of all readings: what any of them met is saved.
    """
    total = None
    for reading in following:
        await _say(reader, "The sum proves nothing: reading everything again.")
        total = await readings.read(reader, reading, known_total=total)
        counted = await _add_up(reader, [reading], total)
        made, total = [reading, *made], counted.total
        together = await reconcile.add_up(reader.attempt, reader.pool, made, total)
        together = replace(together, listed_twice=counted.listed_twice)
        # Whoever an earlier reading met and this one did not has gone, or was missed: under a total that
        # stood still, one reading alone cannot tell which.
        moved = together.steady and await reconcile.absent(reader.attempt, reader.pool, made) > 0
        for one in (together, replace(counted, moved=moved)):
            if one.proven:
                return one, True
    return replace(together, moved=moved), False


async def _add_up(reader: Reader, these: list[int], total: int | None) -> Sum:
    """The sum of these readings; repeats that may explain what is missing are verified first."""
    if total is None:
        total = await readings.total_now(reader)
    await resolve(reader.attempt, reader.pool, these)
    counted = await reconcile.add_up(reader.attempt, reader.pool, these, total)
    if 0 < counted.missing <= counted.repeats and may_verify(counted.repeats, total):
        await _say(reader, "Some people are listed twice: asking for each of them once more.")
        counted = replace(counted, listed_twice=await verify(reader, these[0], total))
    return counted


async def _say_edges_unreadable(reader: Reader, error: RemoteGarbled) -> None:
    """HRIMS may give the pages of a list, but none as small as an edge."""
    await _say(reader, f"The edges between pages cannot be read: {error}")


async def _say(reader: Reader, words: str) -> None:
    log.info("run %s: %s", reader.attempt.run_id, words)
    await pages.note(reader.attempt, words, reader.pool)
