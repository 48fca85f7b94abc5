"""The API of previews. Input: a run id, a decision. Output: counts and rows."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, UnsetType

from hrims.previews.difference import KINDS
from hrims.web.api.action_bodies import Queued, build_queued
from hrims.web.api.run_bodies import RunStatus
from hrims.web.core import previews
from hrims.web.core.bodies import ApplyRequest
from hrims.web.core.paging import Filter
from hrims.web.core.queries import PreviewQuery
from hrims.web.core.responses import AcceptedOrDone, JobId, ResponseBody, SuccessBody, choice, rows_of

ROWS = 100
"""Rows in one response."""


class PreviewCounts(ResponseBody):
    """The number of people that the preview would affect, by kind; ``rejected`` counts records."""

    new: int
    changed: int
    unchanged: int
    transfers: int
    returning: int
    missing: int
    rejected: int
    unmatched: int


class PreviewRow(ResponseBody):
    """A row of a preview, masked as for the client. Its kind says which fields it has.

    Rows of ``unmatched`` have a workplace with its number of people, those of ``rejected`` a record.
    ``changes`` has the old and the new value by field.
    """

    zan_id: str | UnsetType = UNSET
    name: str | UnsetType | None = UNSET
    cadre: str | UnsetType | None = UNSET
    workplace: str | UnsetType | None = UNSET
    status: str | UnsetType | None = UNSET
    changes: dict[str, list[Any]] | UnsetType = UNSET
    from_institution: str | UnsetType | None = UNSET
    institution: str | UnsetType | None = UNSET
    moves: bool | UnsetType = UNSET
    people: int | UnsetType = UNSET
    record: int | UnsetType = UNSET
    code: str | UnsetType = UNSET
    field: str | UnsetType | None = UNSET
    reason: str | UnsetType = UNSET
    masked: str | UnsetType | None = UNSET
    payroll_number: str | UnsetType | None = UNSET


class PreviewBody(RunStatus, kw_only=True):
    """A preview. ``counts`` is null unless there is a difference to show. Rows need a ``kind``.

    ``kind`` is that of the rows, or ``preview`` without them. ``changedSince`` has sentences that explain why
    the difference changed since the preview ended. ``hidden`` people of the kind are saved outside the
    institutions of the client: counted, but in no row.
    """

    success: Literal[True] = True
    kind: Annotated[str, choice(("preview", *KINDS))]
    kept: bool
    emptied: str | None
    apply_job_id: JobId | None
    counts: PreviewCounts | None
    version: str | None
    changed_since: list[str]
    page: int | UnsetType = UNSET
    rows: list[PreviewRow] | UnsetType = UNSET
    next: str | UnsetType | None = UNSET
    hidden: int | UnsetType = UNSET


class Discarded(SuccessBody):
    """A preview that was discarded."""

    message: str
    job_id: JobId


def show(job_id: str, query: PreviewQuery) -> PreviewBody:
    """Return a preview: its state, the counts of its difference; with ``?kind=`` also rows, by ``&page=``."""
    filter_ = Filter("api.previews.show", ROWS, query.page, query.kind or KINDS[0], {"job_id": job_id})
    shown = previews.find_preview(job_id, filter_)
    preview, now = shown.preview, shown.now
    body = PreviewBody.of(
        shown.run,
        kept=preview.is_kept,
        emptied=preview.emptied_why,
        apply_job_id=str(preview.applied_by_run) if preview.applied_by_run else None,
        counts=PreviewCounts(*(getattr(now, kind) for kind in KINDS)) if now else None,
        version=now.version if now else None,
        changed_since=shown.since,
    )
    if query.kind is not None:
        body.kind, body.page, body.next = filter_.kind, filter_.page, filter_.next_link
        body.hidden = shown.hidden
        body.rows = rows_of(PreviewRow, shown.rows)
    return body


def apply(job_id: str, body: ApplyRequest) -> AcceptedOrDone[Queued]:
    """Enqueue the run that applies the difference of this ``version``.

    Return 202, or 200 with the unfinished run that applies it.
    """
    applied = previews.apply_preview(job_id, body.version)
    state = "is being applied already" if applied.deduplicated else "will be applied"
    message = f"The preview for {applied.institution} {state}."
    return build_queued(message, applied.run_id, applied.deduplicated, institution=applied.institution)


def discard(job_id: str) -> Discarded:
    """Discard a preview. Its run stays in the list."""
    run_id = previews.discard_preview(job_id)
    return Discarded("The preview was discarded.", str(run_id))
