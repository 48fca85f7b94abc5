"""The API of schedules. Input: a schedule. Output: its next times, and the results of its past times."""

from http import HTTPStatus
from typing import Annotated, Any, Literal, Self

from hrims.db import Connection, use_snapshot
from hrims.numbers import whole
from hrims.schedules import actions, store
from hrims.schedules.request import ChangedScheduleRequest, ScheduleRequest
from hrims.schedules.store import Schedule
from hrims.web.api.enumerations import FiringResult, ListIdentifierType, Missed, RunPriority
from hrims.web.core.app_state import pool
from hrims.web.core.guard import actor, scope
from hrims.web.core.responses import Accepted, Created, ResponseBody, SuccessBody, Timestamp, choice
from hrims.web.core.serializers import time, timestamp


class FiringBody(ResponseBody):
    """A due time of a schedule, and what became of it."""

    due_at: Timestamp
    became: FiringResult
    batch_id: str | None


class ScheduleItem(ResponseBody):
    """A schedule with its next times, and the results of its latest times. Times of day are in its zone."""

    id: int
    name: str
    cron: str
    time_zone: str
    institutions: list[int] | Annotated[str, choice(("all", "failed"))]
    identifier_type: ListIdentifierType | None
    page_size: int
    priority: RunPriority
    spread_minutes: int
    missed: Missed
    quiet_from: str | None
    quiet_until: str | None
    paused_by: str | None
    paused_at: Timestamp | None
    made_by: str
    made_at: Timestamp
    next: list[Timestamp]
    latest: list[FiringBody]

    @classmethod
    def of(cls, conn: Connection, schedule: Schedule, **more: Any) -> Self:
        """Return a schedule, with ``more`` fields of a structure that has them."""
        return cls(
            id=schedule.id,
            name=schedule.name,
            cron=schedule.cron,
            time_zone=schedule.time_zone,
            institutions=schedule.institutions if schedule.scope == "selection" else schedule.scope,
            identifier_type=schedule.identifier_type,
            page_size=schedule.page_size,
            priority=schedule.priority,
            spread_minutes=schedule.spread_minutes,
            missed=schedule.missed,
            quiet_from=f"{schedule.quiet_from:%H:%M}" if schedule.quiet_from else None,
            quiet_until=f"{schedule.quiet_until:%H:%M}" if schedule.quiet_until else None,
            paused_by=schedule.paused_by,
            paused_at=time(schedule.paused_at),
            made_by=schedule.made_by,
            made_at=timestamp(schedule.made_at),
            next=[timestamp(at) for at in actions.next_times(conn, schedule)],
            latest=[
                FiringBody(
                    timestamp(firing.due_at),
                    firing.became,
                    None if firing.batch_id is None else str(firing.batch_id),
                )
                for firing in store.list_firings(conn, schedule.id, store.LATEST)
            ],
            **more,
        )


class ScheduleBody(ScheduleItem, kw_only=True):
    """A schedule that was read or changed."""

    success: Literal[True] = True


class ScheduleRun(ScheduleBody, kw_only=True):
    """A schedule whose batch was enqueued."""

    batch_id: str


class Schedules(SuccessBody):
    """The schedules, ordered by name."""

    schedules: list[ScheduleItem]


def index() -> Schedules:
    """Return all schedules, ordered by name."""
    with pool().connection() as conn:
        use_snapshot(conn)
        return Schedules(
            [ScheduleItem.of(conn, schedule) for schedule in store.list_schedules(conn, scope())]
        )


def create(body: ScheduleRequest) -> Created[ScheduleBody]:
    """Add a schedule."""
    with pool().connection() as conn:
        return _find(conn, actions.add(conn, actor(), body)), HTTPStatus.CREATED


def show(schedule_id: str) -> ScheduleBody:
    """Return a schedule."""
    with pool().connection() as conn:
        return _find(conn, whole(schedule_id))


def update(schedule_id: str, body: ChangedScheduleRequest) -> ScheduleBody:
    """Replace a schedule; omitted fields get their defaults."""
    with pool().connection() as conn:
        actions.change(conn, actor(), whole(schedule_id), body)
        return _find(conn, whole(schedule_id))


def pause(schedule_id: str) -> ScheduleBody:
    """Pause a schedule: it starts no batch until it is resumed."""
    with pool().connection() as conn:
        actions.pause(conn, actor(), whole(schedule_id))
        return _find(conn, whole(schedule_id))


def resume(schedule_id: str) -> ScheduleBody:
    """Resume a schedule at its next time."""
    with pool().connection() as conn:
        actions.resume(conn, actor(), whole(schedule_id))
        return _find(conn, whole(schedule_id))


def run(schedule_id: str) -> Accepted[ScheduleRun]:
    """Enqueue the batch of a schedule now."""
    with pool().connection() as conn:
        batch_id = actions.run_now(conn, actor(), whole(schedule_id))
        schedule = actions.find(conn, scope(), whole(schedule_id))
        return ScheduleRun.of(conn, schedule, batch_id=str(batch_id)), HTTPStatus.ACCEPTED


def remove(schedule_id: str) -> SuccessBody:
    """Delete a schedule. Its batches stay."""
    with pool().connection() as conn:
        actions.remove(conn, actor(), whole(schedule_id))
    return SuccessBody()


def _find(conn: Connection, schedule_id: int) -> ScheduleBody:
    return ScheduleBody.of(conn, actions.find(conn, scope(), schedule_id))
