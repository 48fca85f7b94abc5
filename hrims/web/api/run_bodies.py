"""The runs of the API, in each form in which responses and event streams have them. Input: a Run. Pure."""

from typing import Any, Literal, Self

from hrims.batches.progress import Member
from hrims.runs.model import Run
from hrims.web.api.enumerations import Outcome, Phase, RunIdentifierType, RunKind, RunPriority, RunState
from hrims.web.core.responses import JobId, ResponseBody, Timestamp, rows_of
from hrims.web.core.serializers import time, timestamp


class LastCompleted(ResponseBody):
    """The last result of an institution."""

    job_id: JobId
    outcome: Outcome | None
    employee_count: int | None
    finished_at: Timestamp | None


class RunStatus(ResponseBody):
    """The state of a run. ``lastCompleted`` is null if this run is the last result, or there is none."""

    job_id: JobId
    kind: RunKind
    state: RunState
    outcome: Outcome | None
    message: str
    institution_id: int | None
    institution_name: str
    identifier_type: RunIdentifierType
    page_size: int
    priority: RunPriority
    attempt: int
    requested_by: str
    request_id: str | None
    requested_at: Timestamp
    started_at: Timestamp | None
    finished_at: Timestamp | None
    next_try_at: Timestamp | None
    starts_at: Timestamp | None
    pool: str | None
    attempts: int | None
    attempt_pause: float | None
    deadline_at: Timestamp | None
    partial: bool
    last_completed: LastCompleted | None

    @classmethod
    def of(cls, run: Run, **more: Any) -> Self:
        """Return the state of a run, with ``more`` fields of a structure that has them."""
        return cls(
            job_id=str(run.id),
            kind=run.kind,
            state=run.state,
            outcome=run.outcome,
            message=run.message,
            institution_id=run.institution_id,
            institution_name=run.institution,
            identifier_type=run.identifier_type,
            page_size=run.page_size,
            priority=run.priority,
            attempt=run.attempt,
            requested_by=run.requested_by,
            request_id=run.request_id,
            requested_at=timestamp(run.requested_at),
            started_at=time(run.started_at),
            finished_at=time(run.finished_at),
            next_try_at=time(run.next_try_at),
            starts_at=time(run.starts_at),
            pool=run.pool,
            attempts=run.attempts,
            attempt_pause=run.attempt_pause,
            deadline_at=time(run.deadline_at),
            partial=run.partial,
            last_completed=last_completed(run),
            **more,
        )


class RunChanged(RunStatus, kw_only=True):
    """The state of a run after an action."""

    success: Literal[True] = True


class Progress(ResponseBody, kw_only=True):
    """The progress of a run."""

    type: Literal["progress"] = "progress"
    phase: Phase
    message: str
    current_page: int
    total_fetched: int
    estimated_total: int | None
    estimated_pages: int | None
    progress_percent: int
    saved: int
    skipped: int
    total: int | None

    @classmethod
    def of(cls, run: Run) -> Self:
        """Return the progress of the run."""
        return cls(
            phase=run.phase,
            message=run.message,
            current_page=run.current_page,
            total_fetched=run.fetched,
            estimated_total=run.remote_total,
            estimated_pages=run.estimated_pages,
            progress_percent=run.percent,
            saved=run.saved_in_all,
            skipped=run.skipped,
            total=run.remote_total,
        )


class RunPerson(ResponseBody):
    """A person of a result, masked as for the client."""

    id: int
    zan_id: str
    name: str | None
    cadre: str | None
    workplace: str | None
    status: str | None
    institution: str | None


class Result(ResponseBody):
    """The result of a completed run. Times are in seconds."""

    success: bool
    outcome: Outcome
    message: str
    institution_name: str
    employee_count: int | None
    skipped_count: int
    total_fetched: int
    pages_fetched: int
    fetch_time: float
    save_time: float
    total_time: float | None
    employees: list[RunPerson]
    new: int
    changed: int
    unchanged: int
    rejected: int
    unmatched: int
    leavers: int
    leavers_waiting: int
    missing: int
    surplus: int
    listed_twice: int
    fewer_than_last_complete: int
    page_finding: str | None

    @classmethod
    def of(cls, run: Run, employees: list[dict[str, Any]]) -> Self:
        """Return the result of a completed run."""
        assert run.outcome is not None
        return cls(
            success=run.outcome != "incomplete",
            outcome=run.outcome,
            message=run.message,
            institution_name=run.institution,
            employee_count=run.people,
            skipped_count=run.skipped,
            total_fetched=run.fetched,
            pages_fetched=run.pages,
            fetch_time=run.fetch_ms / 1000,
            save_time=run.save_ms / 1000,
            total_time=run.seconds,
            employees=rows_of(RunPerson, employees),
            new=run.new,
            changed=run.changed,
            unchanged=run.unchanged,
            rejected=run.rejected,
            unmatched=run.unmatched,
            leavers=run.leavers,
            leavers_waiting=run.leavers_waiting,
            missing=max(run.missing or 0, 0),
            surplus=max(-(run.missing or 0), 0),
            listed_twice=run.listed_twice,
            fewer_than_last_complete=run.fewer_than_last_complete,
            page_finding=run.page_finding,
        )


class RunError(ResponseBody, kw_only=True):
    """Why a run ended without a result."""

    success: Literal[False] = False
    job_id: JobId
    state: RunState
    message: str
    code: str

    @classmethod
    def of(cls, run: Run) -> Self:
        """Return why a run ended without a result."""
        return cls(
            job_id=str(run.id), state=run.state, message=run.message, code=run.trouble_code or run.state
        )


def last_completed(item: Run | Member) -> LastCompleted | None:
    """Return the last result of the institution; None if it has none, or if this run is a result."""
    if item.last_run_id is None:
        return None
    return LastCompleted(
        job_id=str(item.last_run_id),
        outcome=item.last_outcome,
        employee_count=item.last_people,
        finished_at=time(item.last_finished_at),
    )
