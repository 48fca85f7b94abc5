"""The screen of schedules: which there are, when each comes next, what became of its times; for
administrators the form and the buttons.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict

from hrims.access.audit import Actor
from hrims.db import Connection, one_moment
from hrims.errors import InputError, InvalidInput
from hrims.jobs.starts.priorities import PRIORITIES
from hrims.numbers import whole
from hrims.register import store as register
from hrims.schedules import calendar, decide, store
from hrims.schedules.decide import USUAL
from hrims.schedules.store import Schedule
from hrims.web import guard
from hrims.web.batches import check_ticks
from hrims.web.guard import actor
from hrims.web.parts import pool

blueprint = Blueprint("schedules", __name__, url_prefix="/dashboard/admin/schedules")

NEXT = 5
"""Times to come that are shown."""

LATEST = 10
"""Times that were, of which is told what became of them."""

EMPTY: dict[str, Any] = {
    "when": "plain",
    "every": "day",
    "at": "01:00",
    "day": "1",
    "cron": "0 1 * * *",
    "time_zone": USUAL["timeZone"],
    "wish": "all",
    "priority": USUAL["priority"],
    "page_size": USUAL["pageSize"],
    "spread": USUAL["spreadMinutes"],
    "missed": USUAL["missed"],
}
"""The form as it is before anything is said."""


@blueprint.get("")
def index() -> str:
    """The page: every schedule, and a form for another."""
    return render_template("schedules/index.html", **_list())


@blueprint.post("")
def add() -> Any:
    """A button: adds a schedule."""
    guard.administrators_only()
    try:
        with pool().connection() as conn:
            id_ = decide.add(conn, actor(), _wish(request.form))
    except InputError as refused:
        return render_template("schedules/index.html", **_list(request.form, str(refused))), refused.status
    return _to(id_)


@blueprint.get("/upcoming")
def upcoming() -> str:
    """A fragment: when what stands in the form would come next, or what is wrong with it."""
    try:
        with pool().connection() as conn:
            zone = calendar.check_zone(request.args.get("time_zone"))
            line = calendar.check_cron(_line(request.args), zone, store.now(conn))
            times = calendar.upcoming(line, zone, store.now(conn), NEXT)
    except InputError as refused:
        return render_template("schedules/_upcoming.html", refused=str(refused), times=[], zone=None)
    return render_template("schedules/_upcoming.html", refused=None, times=times, zone=zone)


@blueprint.get("/<schedule_id>")
def schedule(schedule_id: str) -> str:
    """One schedule: what it says, its next and its latest times."""
    return render_template("schedules/schedule.html", **_one(schedule_id))


@blueprint.post("/<schedule_id>")
def change(schedule_id: str) -> Any:
    """A button: changes it."""
    guard.administrators_only()
    try:
        with pool().connection() as conn:
            decide.change(conn, actor(), whole(schedule_id), _wish(request.form))
    except InputError as refused:
        if refused.slug == "unknown_schedule":
            raise
        shown = _one(schedule_id) | {"given": request.form, "refused": str(refused)}
        shown["chosen"] = request.form.getlist("institution")
        return render_template("schedules/schedule.html", **shown), refused.status
    return redirect(url_for(".schedule", schedule_id=schedule_id, saved="yes"), code=HTTPStatus.SEE_OTHER)


@blueprint.post("/<schedule_id>/pause")
def pause(schedule_id: str) -> Any:
    """A button: it asks for nothing until it is resumed."""
    return _act(schedule_id, decide.pause)


@blueprint.post("/<schedule_id>/resume")
def resume(schedule_id: str) -> Any:
    """A button: it asks again."""
    return _act(schedule_id, decide.resume)


@blueprint.post("/<schedule_id>/run")
def run(schedule_id: str) -> Any:
    """A button: asks for its batch now, and leads there."""
    guard.administrators_only()
    try:
        with pool().connection() as conn:
            batch_id = decide.run_now(conn, actor(), whole(schedule_id))
    except InputError as refused:
        return _refused(schedule_id, refused)
    return redirect(url_for("batches.batch", batch_id=batch_id), code=HTTPStatus.SEE_OTHER)


@blueprint.post("/<schedule_id>/remove")
def remove(schedule_id: str) -> Any:
    """A button: deletes it; what it asked for stays."""
    guard.administrators_only()
    with pool().connection() as conn:
        decide.remove(conn, actor(), whole(schedule_id))
    return redirect(url_for(".index"), code=HTTPStatus.SEE_OTHER)


def _act(schedule_id: str, deed: Callable[[Connection, Actor, int], None]) -> Any:
    guard.administrators_only()
    try:
        with pool().connection() as conn:
            deed(conn, actor(), whole(schedule_id))
    except InputError as refused:
        return _refused(schedule_id, refused)
    return _to(schedule_id)


def _refused(schedule_id: str, refused: InputError) -> Any:
    if refused.status == HTTPStatus.NOT_FOUND:
        raise refused
    shown = _one(schedule_id) | {"refused": str(refused)}
    return render_template("schedules/schedule.html", **shown), refused.status


def _to(schedule_id: int | str) -> Any:
    return redirect(url_for(".schedule", schedule_id=schedule_id), code=HTTPStatus.SEE_OTHER)


def _line(given: Mapping[str, str]) -> str:
    """The cron line of a form: as it was typed, or of the plain choice."""
    if given.get("when") == "cron":
        return given.get("cron", "")
    every = given.get("every", "")
    return calendar.plain(every, given.get("at", ""), given.get("weekday" if every == "week" else "day", ""))


def _wish(form: MultiDict[str, str]) -> dict[str, Any]:
    """What the form says, as the API calls it."""
    check_ticks(form)
    _check_cron_is_meant(form)
    chosen = [whole(one) for one in form.getlist("institution")]
    return {
        "name": form.get("name"),
        "cron": _line(form),
        "timeZone": form.get("time_zone") or USUAL["timeZone"],
        "institutions": chosen if form.get("wish") == "selection" else form.get("wish"),
        "identifierType": form.get("identifier_type") or None,
        "pageSize": whole(form.get("page_size") or str(USUAL["pageSize"])),
        "priority": form.get("priority"),
        "spreadMinutes": _spread(form.get("spread") or "0"),
        "missed": form.get("missed"),
        "quietFrom": form.get("quiet_from"),
        "quietUntil": form.get("quiet_until"),
    }


def _check_cron_is_meant(form: Mapping[str, str]) -> None:
    """Raises InvalidInput when a cron line was typed and the plain choice is on: which is meant?"""
    typed = form.get("cron", "").strip()
    if form.get("when") == "plain" and typed not in {"", EMPTY["cron"], form.get("cron_was", "").strip()}:
        raise InvalidInput(
            "A cron line was typed, but “Plainly” is chosen. Choose “As a cron line”, or empty it. "
            "Nothing was changed.",
            "which_times",
        )


def _spread(given: str) -> int:
    return 0 if given.strip() == "0" else whole(given.strip()) or -1


def _list(given: MultiDict[str, str] | None = None, refused: str | None = None) -> dict[str, Any]:
    with pool().connection() as conn:
        one_moment(conn)
        return {
            "schedules": [_shown(conn, one, latest=1) for one in store.schedules(conn)],
            **_form(conn),
            "given": given or EMPTY,
            "chosen": given.getlist("institution") if given else [],
            "refused": refused,
        }


def _one(schedule_id: str) -> dict[str, Any]:
    with pool().connection() as conn:
        one_moment(conn)
        found = decide.find(conn, whole(schedule_id))
        return {
            **_shown(conn, found, latest=LATEST),
            **_form(conn),
            "given": _said(found),
            "chosen": [str(one) for one in found.institutions],
            "refused": None,
        }


def _form(conn: Connection) -> dict[str, Any]:
    return {
        "institutions": register.institutions(conn),
        "priorities": list(PRIORITIES),
        "days": list(enumerate(calendar.DAYS)),
    }


def _shown(conn: Connection, one: Schedule, *, latest: int) -> dict[str, Any]:
    return {
        "one": one,
        "words": calendar.in_words(one.cron),
        "times": next_times(conn, one),
        "firings": store.firings(conn, one.id, latest),
    }


def next_times(conn: Connection, one: Schedule) -> list[datetime]:
    """The next times of a schedule; none of one whose zone or line means nothing to this machine."""
    try:
        return calendar.upcoming(one.cron, one.zone, store.now(conn), NEXT)
    except (ValueError, KeyError):
        return []


def _said(one: Schedule) -> dict[str, Any]:
    """A schedule as the form has it."""
    plain = calendar.as_plain(one.cron)
    return (
        EMPTY
        | (plain or {})
        | {
            "name": one.name,
            "when": "plain" if plain else "cron",
            "cron": one.cron,
            "time_zone": one.time_zone,
            "wish": one.wish,
            "identifier_type": one.identifier_type or "",
            "page_size": one.page_size,
            "priority": one.priority,
            "spread": one.spread_minutes,
            "missed": one.missed,
            "quiet_from": f"{one.quiet_from:%H:%M}" if one.quiet_from else "",
            "quiet_until": f"{one.quiet_until:%H:%M}" if one.quiet_until else "",
        }
    )
