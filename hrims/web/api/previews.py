"""The API of previews. Input: a run id, a decision. Output: counts and rows."""

from typing import Any

from hrims.previews.difference import KINDS
from hrims.web.core import previews, serializers
from hrims.web.core.bodies import ApplyRequest
from hrims.web.core.paging import Filter
from hrims.web.core.queries import PreviewQuery

ROWS = 100
"""Rows in one response."""


def show(job_id: str, query: PreviewQuery) -> dict[str, Any]:
    """Return a preview: its state, the counts of its difference; with ``?kind=`` also rows, by ``&page=``."""
    filter_ = Filter("api.previews.show", ROWS, query.page, query.kind or KINDS[0], {"job_id": job_id})
    shown = previews.find_preview(job_id, filter_)
    preview, now = shown.preview, shown.now
    answer = {
        "success": True,
        **serializers.status(shown.run),
        "kept": preview.is_kept,
        "emptied": preview.emptied_why,
        "applyJobId": str(preview.applied_by_run) if preview.applied_by_run else None,
        "counts": {kind: getattr(now, kind) for kind in KINDS} if now else None,
        "version": now.version if now else None,
        "changedSince": shown.since,
    }
    if query.kind is None:
        return answer
    return answer | {
        "kind": filter_.kind,
        "page": filter_.page,
        "rows": shown.rows,
        "next": filter_.next_link,
    }


def apply(job_id: str, body: ApplyRequest) -> serializers.JsonResponse:
    """Enqueue the run that applies the difference of this ``version``.

    Return 202, or 200 with the unfinished run that applies it.
    """
    applied = previews.apply_preview(job_id, body.version)
    state = "is being applied already" if applied.deduplicated else "will be applied"
    message = f"The preview for {applied.institution} {state}."
    return serializers.queued(
        message, applied.run_id, applied.deduplicated, institutionName=applied.institution
    )


def discard(job_id: str) -> dict[str, Any]:
    """Discard a preview. Its run stays in the list."""
    previews.discard_preview(job_id)
    return {"success": True, "message": "The preview was discarded.", "jobId": job_id}
