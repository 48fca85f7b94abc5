"""Previews for page and API. Input: a run id. Output: the preview and its rows; apply and discard."""

from typing import Any, NamedTuple

from hrims.db import use_snapshot
from hrims.errors import NotFound
from hrims.jobs.store import UNFINISHED
from hrims.previews import actions, cleaner, store
from hrims.previews.difference import KINDS, Difference, Preview
from hrims.runs.model import Run
from hrims.web.core import lookups
from hrims.web.core.app_state import pool
from hrims.web.core.guard import actor, mask, scope
from hrims.web.core.paging import Filter


class Applied(NamedTuple):
    """The run that applies a preview, and whether it already existed, unfinished."""

    run_id: int
    institution_id: int
    institution: str
    deduplicated: bool


class PreviewRows(NamedTuple):
    """A preview in one snapshot. ``now`` and ``rows`` are set only if there is a difference to show.

    ``hidden`` employees of the kind are saved outside the scope of the client, so that no row shows them.
    """

    run: Run
    preview: Preview
    now: Difference | None
    filter: Filter
    rows: list[dict[str, Any]]
    since: list[str]
    hidden: int = 0


def find_preview(run_id: str, filter_: Filter, *, any_kind: bool = False) -> PreviewRows:
    """Return a preview and the rows of the filter, from one snapshot.

    With ``any_kind``, use the first kind that has rows. Raises InputError.
    """
    with pool().connection() as conn:
        use_snapshot(conn)
        run = lookups.find_run(conn, run_id)
        preview = store.find_preview(conn, run.id)
        if preview is None:
            raise NotFound("This run is no preview.", "no_preview")
        if run.state != "completed" or not preview.is_kept or preview.application_state in UNFINISHED:
            return PreviewRows(run, preview, None, filter_, [], since=[])
        now = store.compare(conn, run.id)
        if any_kind:
            kinds = (kind for kind in KINDS if getattr(now, kind))
            filter_.kind = next(kinds, filter_.kind)
        found = store.list_entries(conn, scope(), run.id, filter_.kind, filter_.limit, filter_.offset)
        hidden = store.count_hidden(conn, scope(), run.id, filter_.kind)
    rows = [*filter_.take(mask().rows(found))]
    return PreviewRows(run, preview, now, filter_, rows, preview.changes_since(now), hidden)


def discard_preview(run_id: str) -> int:
    """Discard a preview and delete its rows. Return the id of its run. Raises InputError."""
    with pool().connection() as conn:
        run = lookups.find_run(conn, run_id)
    with pool().connection() as conn:
        actions.discard(conn, actor(), run.id)
    with pool().connection() as conn:
        cleaner.delete_people(conn, run.id)
    return run.id


def apply_preview(run_id: str, version: str) -> Applied:
    """Enqueue the run that applies a preview. Raises InputError."""
    with pool().connection() as conn:
        run = lookups.find_run(conn, run_id)
    listing = actions.PreviewTarget(
        run.id,
        run.state,
        run.institution_id or 0,
        run.institution,
        run.identifier_type,
        run.identifier,
        run.page_size,
    )
    with pool().connection() as conn:
        result = actions.apply(conn, actor(), listing, version)
    return Applied(result.run_id, listing.institution_id, run.institution, result.deduplicated)
