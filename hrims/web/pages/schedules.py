"""The page of schedules: the list, their next times, and the results of their past times.

Administrators have the form and the buttons.
"""

from http import HTTPStatus
from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict

from hrims.db import Connection, use_snapshot
from hrims.errors import InputError
from hrims.institutions import store as institution_store
from hrims.jobs.rate_limit.priorities import PRIORITIES
from hrims.numbers import whole
from hrims.schedules import actions, calendar, store
from hrims.schedules.request import DEFAULTS, ChangedScheduleRequest
from hrims.schedules.store import Schedule
from hrims.web.core import requests
from hrims.web.core.actions import perform, see_other, to
from hrims.web.core.app_state import pool
from hrims.web.core.forms import EMPTY_CRON, CronForm, SelectionForm, SimpleForm, SpreadForm, TimesForm
from hrims.web.core.guard import actor, scope
from hrims.web.core.queries import SavedQuery

EMPTY: dict[str, Any] = {
    "when": "plain",
    "every": "day",
    "at": "01:00",
    "day": "1",
    "cron": EMPTY_CRON,
    "time_zone": DEFAULTS.time_zone,
    "wish": "all",
    "priority": DEFAULTS.priority,
    "page_size": DEFAULTS.page_size,
    "spread": DEFAULTS.spread_minutes,
    "missed": DEFAULTS.missed,
}
"""The initial values of the form."""


def index() -> str:
    """Show the page: every schedule, and a form for a new one."""
    return render_template("schedules/index.html", **_list_context())


def create() -> Any:
    """Handle a button: add a schedule."""
    try:
        with pool().connection() as conn:
            id_ = actions.add(conn, actor(), _read_form())
    except InputError as refused:
        return render_template(
            "schedules/index.html", **_list_context(request.form, str(refused))
        ), refused.status
    return see_other(".show", schedule_id=id_)


def show_upcoming() -> str:
    """Show a fragment: the next times of the schedule in the form, or what is wrong with it."""
    try:
        times = requests.read_form(TimesForm, request.args)
        with pool().connection() as conn:
            zone = calendar.check_zone(times.time_zone)
            line = calendar.check_cron(_read_cron(times, request.args), zone, store.now(conn))
            upcoming = calendar.next_times(line, zone, store.now(conn), actions.NEXT_TIMES)
    except InputError as refused:
        return render_template("schedules/_upcoming.html", refused=str(refused), times=[], zone=None)
    return render_template("schedules/_upcoming.html", refused=None, times=upcoming, zone=zone)


def show(schedule_id: str, query: SavedQuery) -> str:
    """Show one schedule: its fields, its next and its latest times."""
    context = _schedule_context(schedule_id) | {"saved": query.saved}
    return render_template("schedules/schedule.html", **context)


def update(schedule_id: str) -> Any:
    """Handle a button: change a schedule."""
    try:
        with pool().connection() as conn:
            actions.change(conn, actor(), whole(schedule_id), _read_form())
    except InputError as refused:
        if refused.code == "unknown_schedule":
            raise
        shown = _schedule_context(schedule_id) | {"given": request.form, "refused": str(refused)}
        shown["chosen"] = request.form.getlist("institution")
        return render_template("schedules/schedule.html", **shown), refused.status
    return redirect(url_for(".show", schedule_id=schedule_id, saved="yes"), code=HTTPStatus.SEE_OTHER)


def pause(schedule_id: str) -> Any:
    """Handle a button: pause a schedule."""
    return perform(
        lambda conn: actions.pause(conn, actor(), whole(schedule_id)),
        then=to(".show", schedule_id=schedule_id),
        page=lambda refused: _page(schedule_id, refused),
    )


def resume(schedule_id: str) -> Any:
    """Handle a button: resume a schedule."""
    return perform(
        lambda conn: actions.resume(conn, actor(), whole(schedule_id)),
        then=to(".show", schedule_id=schedule_id),
        page=lambda refused: _page(schedule_id, refused),
    )


def run(schedule_id: str) -> Any:
    """Handle a button: enqueue the batch of a schedule now, and redirect to it."""
    return perform(
        lambda conn: actions.run_now(conn, actor(), whole(schedule_id)),
        then=lambda batch_id: see_other("batches.show", batch_id=batch_id),
        page=lambda refused: _page(schedule_id, refused),
    )


def remove(schedule_id: str) -> Any:
    """Handle a button: delete a schedule. Its batches stay."""
    with pool().connection() as conn:
        actions.remove(conn, actor(), whole(schedule_id))
    return redirect(url_for(".index"), code=HTTPStatus.SEE_OTHER)


def _page(schedule_id: str, refused: str) -> str:
    return render_template(
        "schedules/schedule.html", **(_schedule_context(schedule_id) | {"refused": refused})
    )


def _read_cron(times: TimesForm, texts: MultiDict[str, str]) -> str:
    """Return the cron expression of a form: the typed one, or that of the simple choice."""
    if times.when == "cron":
        return requests.read_form(CronForm, texts).cron
    return requests.read_form(SimpleForm, texts).cron


def _read_form() -> ChangedScheduleRequest:
    times = requests.read_form(TimesForm)
    times.check_cron_is_meant()
    return requests.read_form(
        ChangedScheduleRequest,
        institutions=requests.read_form(SelectionForm).institutions,
        cron=_read_cron(times, request.form),
        spread_minutes=requests.read_form(SpreadForm).spread,
    )


def _list_context(given: MultiDict[str, str] | None = None, refused: str | None = None) -> dict[str, Any]:
    with pool().connection() as conn:
        use_snapshot(conn)
        return {
            "schedules": [_shown(conn, one, latest=1) for one in store.list_schedules(conn, scope())],
            **_form(conn),
            "given": given or EMPTY,
            "chosen": given.getlist("institution") if given else [],
            "refused": refused,
        }


def _schedule_context(schedule_id: str) -> dict[str, Any]:
    with pool().connection() as conn:
        use_snapshot(conn)
        found = actions.find(conn, scope(), whole(schedule_id))
        return {
            **_shown(conn, found, latest=store.LATEST),
            **_form(conn),
            "given": _form_values(found),
            "chosen": [str(one) for one in found.institutions],
            "refused": None,
            "saved": None,
        }


def _form(conn: Connection) -> dict[str, Any]:
    return {
        "institutions": institution_store.list_institutions(conn, scope()),
        "priorities": list(PRIORITIES),
        "days": list(enumerate(calendar.DAYS)),
    }


def _shown(conn: Connection, one: Schedule, *, latest: int) -> dict[str, Any]:
    return {
        "schedule": one,
        "description": calendar.describe_cron(one.cron),
        "times": actions.next_times(conn, one),
        "firings": store.list_firings(conn, one.id, latest),
    }


def _form_values(one: Schedule) -> dict[str, Any]:
    """Convert a schedule to the fields of the form."""
    plain = calendar.parse_simple(one.cron)
    return (
        EMPTY
        | (plain or {})
        | {
            "name": one.name,
            "when": "plain" if plain else "cron",
            "cron": one.cron,
            "time_zone": one.time_zone,
            "wish": one.scope,
            "identifier_type": one.identifier_type or "",
            "page_size": one.page_size,
            "priority": one.priority,
            "spread": one.spread_minutes,
            "missed": one.missed,
            "quiet_from": f"{one.quiet_from:%H:%M}" if one.quiet_from else "",
            "quiet_until": f"{one.quiet_until:%H:%M}" if one.quiet_until else "",
        }
    )
