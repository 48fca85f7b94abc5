"""Previews for machines: requests come in; counts, rows and decisions go out as JSON."""

from typing import Any

from flask import Blueprint, request

from hrims.errors import InvalidInput
from hrims.previews.difference import KINDS
from hrims.web import answers, previews
from hrims.web.api import Answer, body, queued
from hrims.web.filters import Filter

blueprint = Blueprint("previews_api", __name__, url_prefix="/api/hrims/previews")

ROWS = 100
"""Rows that one answer holds."""


@blueprint.get("/<job_id>")
def show(job_id: str) -> dict[str, Any]:
    """A preview: how it stands, the counts of its difference, and with ``?kind=`` its rows, by ``&page=``."""
    filter_ = Filter.read("previews_api.show", request.args, KINDS, ROWS, job_id=job_id)
    shown = previews.look(job_id, filter_)
    preview, now = shown.preview, shown.now
    answer = {
        "success": True,
        **answers.status(shown.run),
        "kept": preview.is_kept,
        "emptied": preview.emptied_why,
        "applyJobId": str(preview.applied_by_run) if preview.applied_by_run else None,
        "counts": {kind: getattr(now, kind) for kind in KINDS} if now else None,
        "version": now.version if now else None,
        "changedSince": shown.since,
    }
    if "kind" not in request.args:
        return answer
    return answer | {
        "kind": filter_.kind,
        "page": filter_.page,
        "rows": shown.rows,
        "next": filter_.of_page(filter_.page + 1) if shown.more else None,
    }


@blueprint.post("/<job_id>/apply")
def apply(job_id: str) -> Answer:
    """Queues the run that applies the difference of this ``version``: 202, or 200 with the one under way."""
    version = body().get("version")
    if not isinstance(version, str) or not version:
        raise InvalidInput(
            "version is missing: give that of the difference which you looked at. Nothing was applied.",
            "bad_version",
        )
    applied = previews.apply_now(job_id, version)
    said = "is being applied already" if applied.deduplicated else "will be applied"
    words = f"The preview for {applied.institution} {said}."
    return queued(words, applied.run_id, applied.deduplicated, institutionName=applied.institution)


@blueprint.post("/<job_id>/discard")
def discard(job_id: str) -> dict[str, Any]:
    """Throws a preview away; its run stays on the list."""
    previews.throw_away_now(job_id)
    return {"success": True, "message": "The preview was thrown away.", "jobId": job_id}
