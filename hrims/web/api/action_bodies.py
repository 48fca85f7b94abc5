"""The responses to requests for a run, and to actions that may wait for a second user."""

from http import HTTPStatus
from typing import Any, Literal

from flask import url_for
from msgspec import UNSET, UnsetType

from hrims.web.core.responses import AcceptedOrDone, JobId, SuccessBody


class Queued(SuccessBody):
    """A run that was requested. ``deduplicated`` is sent for an unfinished run that exists already."""

    message: str
    job_id: JobId
    status_url: str
    institution_name: str | UnsetType = UNSET
    preview_url: str | UnsetType = UNSET
    deduplicated: Literal[True] | UnsetType = UNSET


def build_queued(
    message: str,
    run_id: int,
    deduplicated: bool,
    institution: str | None = None,
    preview_url: str | None = None,
) -> AcceptedOrDone[Queued]:
    """Return the response to a request for a run: 202, or 200 if an unfinished run already exists."""
    body = Queued(
        message=message,
        job_id=str(run_id),
        status_url=url_for("api.stream.stream_run", job_id=run_id),
        institution_name=institution or UNSET,
        preview_url=preview_url or UNSET,
        deduplicated=True if deduplicated else UNSET,
    )
    return body, HTTPStatus.OK if deduplicated else HTTPStatus.ACCEPTED


def list_approval_fields(approval_id: int | None) -> dict[str, Any]:
    """Return the fields that tell that a second user must decide; none if the action is done."""
    if approval_id is None:
        return {}
    return {"approval_id": approval_id, "approvals_url": url_for("api.approvals.index")}
