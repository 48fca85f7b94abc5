"""Syncs or previews a list, step by step, from the checkpoint to the outcome.

``STEPS`` has a function for each step. ``steps`` decides which one follows.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from hrims.errors import RemoteGarbled
from hrims.log import get_logger
from hrims.sync import pages, passes, reconcile, story
from hrims.sync.context import SyncContext
from hrims.sync.page_fit.check import is_size_confirmed, use_known_size
from hrims.sync.page_fit.fit import has_small_pages
from hrims.sync.passes import REPAIR_EDGE_SIZE, VERIFY_EDGE_SIZE
from hrims.sync.reconcile import NOT_COUNTED, Reconciliation
from hrims.sync.repeats.resolve import reject_known, resolve
from hrims.sync.repeats.verify import may_verify, verify
from hrims.sync.steps import Finding, Outcome, Step, next_step
from hrims.sync.store import EDGES, FIRST, SECOND, THIRD

log = get_logger(__name__)


async def sync_listing(context: SyncContext) -> None:
    """Sync one institution: continue from the checkpoint, save page by page, repair, and end with an outcome.

    A repair reads again what does not add up. Raises RemoteError if a page cannot be fetched, RemoteDown
    while the circuit breaker is open, StaleAttempt if another attempt has taken over. Raises
    ShutdownRequested between pages if the worker is asked to stop. Pages that were saved before an error stay
    saved.
    """
    attempt, pool = context.attempt, context.pool
    async with context.use_remote():
        await use_known_size(context)
        counted, outcome = await _take_steps(context)
        if not counted.is_proven and await reject_known(attempt, pool):
            counted = await reconcile.recount(attempt, pool, counted)
        is_confirmed = await is_size_confirmed(context, counted.total)
    url = context.remote.base_url if is_confirmed else None
    is_repaired = outcome != Outcome.COMPLETE
    ended = await reconcile.finish(
        attempt, pool, context.settings, counted, repaired=is_repaired, base_url=url
    )
    await story.log_end(attempt, pool, ended)


async def _take_steps(context: SyncContext) -> tuple[Reconciliation, Outcome]:
    """Return the reconciliation that proves the list, or the last one, and the outcome."""
    started = await passes.started_passes(context)
    step: Step | Outcome = Step.SECOND_PASS if started & {SECOND, THIRD} else Step.FIRST_PASS
    counted = NOT_COUNTED
    while isinstance(step, Step):
        counted = await STEPS[step](context, counted)
        step = next_step(step, await _assess(context, step, counted))
    return counted, step


async def _assess(context: SyncContext, step: Step, counted: Reconciliation) -> Finding:
    found = Finding(counted.is_proven, counted.missing, counted.is_total_stable)
    if step != Step.FIRST_PASS:
        return found
    return found._replace(
        is_long=await passes.is_long(context), has_small_pages=await has_small_pages(context)
    )


async def _first_pass(context: SyncContext, _before: Reconciliation) -> Reconciliation:
    # An earlier attempt has read it to the end if it started another pass.
    is_read = bool(await passes.started_passes(context) - {FIRST})
    total = None if is_read else await passes.read_list(context, FIRST)
    return await _reconcile(context, [FIRST], total)


async def _verify_edges(context: SyncContext, before: Reconciliation) -> Reconciliation:
    """Read two records on either side of each edge again. They must be where the first pass met them.

    If not, a removal and an addition may have left the total unchanged.
    """
    await _note(context, "The counts match: checking the edges between pages.")
    elsewhere = await passes.all_but_edges(context, VERIFY_EDGE_SIZE)
    try:
        await passes.read_part(context, EDGES, elsewhere)
    except RemoteGarbled as error:
        return await _edges_unreadable(context, before, error)
    await resolve(context.attempt, context.pool, [FIRST, EDGES])
    is_read = await passes.is_read(context, EDGES, elsewhere)
    has_moved = not is_read or not await reconcile.edges_hold(context.attempt, context.pool)
    return replace(before, has_moved=has_moved)


async def _repair_edges(context: SyncContext, before: Reconciliation) -> Reconciliation:
    """Read ten records on either side of each edge again.

    A record that moved to another page during the first pass is near the edge between the two.
    """
    await _note(context, "The counts do not match: reading the edges between pages again.")
    try:
        total = await passes.read_list(context, EDGES, await passes.all_but_edges(context, REPAIR_EDGE_SIZE))
    except RemoteGarbled as error:
        return await _edges_unreadable(context, before, error)
    return await _reconcile(context, [FIRST, EDGES], total)


async def _edges_unreadable(
    context: SyncContext, before: Reconciliation, error: RemoteGarbled
) -> Reconciliation:
    """Return a reconciliation that proves nothing. HRIMS may give no pages as small as an edge."""
    await _note(context, f"The edges between pages cannot be read: {error}")
    return replace(before, has_moved=True)


async def _second_pass(context: SyncContext, _before: Reconciliation) -> Reconciliation:
    return await _read_again(context, SECOND, [FIRST], None)


async def _third_pass(context: SyncContext, before: Reconciliation) -> Reconciliation:
    return await _read_again(context, THIRD, [SECOND, FIRST], before.total)


async def _read_again(
    context: SyncContext, reading: int, earlier: list[int], known_total: int | None
) -> Reconciliation:
    """Read the whole list again. Return the reconciliation of this pass or of all passes.

    Return that of all passes if neither proves the list: what any pass met is saved.
    """
    await _note(context, "The counts prove nothing: reading the whole list again.")
    total = await passes.read_list(context, reading, known_total=known_total)
    alone = await _reconcile(context, [reading], total)
    if EDGES in await passes.started_passes(context):
        earlier = [*earlier, EDGES]
    readings = [reading, *earlier]
    together = await reconcile.reconcile(context.attempt, context.pool, readings, alone.total)
    together = replace(together, listed_twice=alone.listed_twice)
    if together.is_proven:
        return together
    # A person that an earlier pass met and this one did not has left, or was missed. If the total did not
    # change, one pass alone cannot show which.
    has_moved = (
        together.is_total_stable and await reconcile.count_absent(context.attempt, context.pool, readings) > 0
    )
    alone = replace(alone, has_moved=has_moved)
    return alone if alone.is_proven else replace(together, has_moved=has_moved)


STEPS: dict[Step, Callable[[SyncContext, Reconciliation], Awaitable[Reconciliation]]] = {
    Step.FIRST_PASS: _first_pass,
    Step.VERIFY_EDGES: _verify_edges,
    Step.REPAIR_EDGES: _repair_edges,
    Step.SECOND_PASS: _second_pass,
    Step.THIRD_PASS: _third_pass,
}
"""The function of each step. It takes the reconciliation of the step before."""


async def _reconcile(context: SyncContext, readings: list[int], total: int | None) -> Reconciliation:
    """Return the reconciliation of these passes. First verify repeats that may explain what is missing."""
    if total is None:
        total = await passes.fetch_total(context)
    await resolve(context.attempt, context.pool, readings)
    counted = await reconcile.reconcile(context.attempt, context.pool, readings, total)
    if 0 < counted.missing <= counted.seen_twice and may_verify(counted.seen_twice, total):
        await _note(context, "Some people are listed twice: requesting each of them alone.")
        counted = replace(counted, listed_twice=await verify(context, readings[0], total))
    return counted


async def _note(context: SyncContext, message: str) -> None:
    log.info("run_noted", message=message)
    await pages.note(context.attempt, message, context.pool)
