"""The screen on which an HR officer fetches an institution and watches: page, fragments, buttons."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from hrims.errors import InputError, InvalidInput
from hrims.follow import store
from hrims.follow.progress import Run
from hrims.jobs import ask, control
from hrims.jobs.attempts import patience
from hrims.jobs.attempts.patience import Patience
from hrims.jobs.starts.priorities import NORMAL, PRIORITIES
from hrims.jobs.workers.store import care
from hrims.numbers import whole
from hrims.register import store as register
from hrims.web.answers import FIRST_PEOPLE
from hrims.web.api import find
from hrims.web.guard import actor
from hrims.web.parts import pool, settings

blueprint = Blueprint("fetch_data", __name__, url_prefix="/dashboard/admin/fetch-data")

STOP_POLLING = 286
"""The status by which htmx stops asking a fragment again."""

RECENT_RUNS = 8
"""Runs of all institutions that the page shows."""

FIRST_REJECTS = 20
"""Rejects of a run that the page shows."""

RUN_CARD = "run"
"""The id of a run's card. An address that ends with it moves the view and the keyboard focus there."""


@blueprint.get("")
def index() -> str:
    """The page, for the institution in ``?institution=``."""
    return render_template("fetch_data/index.html", **_context(request.args))


@blueprint.get("/choice")
def choice() -> Response:
    """The part of the page that depends on the institution: its buttons and its latest run."""
    context = _context(request.args)
    part = make_response(render_template("fetch_data/_choice.html", **context))
    # The address follows the choice, so that a reload shows what was chosen.
    part.headers["HX-Replace-Url"] = url_for(".index", institution=context["chosen"] and context["chosen"].id)
    return part


@blueprint.post("")
def fetch() -> Any:
    """A button: queues a run and shows it; a wish that cannot be granted is said on the page."""
    return _ask("sync")


@blueprint.post("/preview")
def preview() -> Any:
    """A button: queues a run that only shows what it would change, and leads to what it shows."""
    return _ask("preview")


@blueprint.get("/runs/<run_id>")
def run_card(run_id: str) -> Response:
    """The live card of a run; status 286 once it has ended, which ends the polling."""
    with pool().connection() as conn:
        run = find(conn, run_id)
        shown = render_template("fetch_data/_run.html", **card(conn, run))
    answer = make_response(shown, STOP_POLLING if run.ended else HTTPStatus.OK)
    if run.ended:
        # The list of runs asks anew at once, or the page would contradict itself for a moment.
        answer.headers["HX-Trigger"] = "run-ended"
    return answer


@blueprint.get("/recent")
def recent() -> Response:
    """The latest runs; status 286 once none is under way, which ends the polling."""
    with pool().connection() as conn:
        runs = store.recent(conn, RECENT_RUNS)
    table = render_template("fetch_data/_recent.html", recent=runs)
    return make_response(table, HTTPStatus.OK if any(not run.ended for run in runs) else STOP_POLLING)


@blueprint.post("/runs/<run_id>/cancel")
def cancel(run_id: str) -> Any:
    """A button: ends a run under way."""
    return _act(run_id, control.cancel)


@blueprint.post("/runs/<run_id>/retry")
def retry(run_id: str) -> Any:
    """A button: tries a failed or cancelled run again, from its checkpoint."""
    return _act(run_id, control.retry)


@blueprint.post("/runs/<run_id>/afresh")
def afresh(run_id: str) -> Any:
    """A button: queues a new run in place of one that failed, was cancelled or is incomplete."""
    with pool().connection() as conn:
        run = find(conn, run_id)
        try:
            asked = control.start_afresh(conn, actor(), run.id)
        except InputError as refused:
            context = _context({"institution": str(run.institution_id)}, refused=str(refused))
            return render_template("fetch_data/index.html", **context), refused.status
    return to_card("run.index", run_id=asked.run_id)


def _ask(kind: str) -> Any:
    try:
        with pool().connection() as conn:
            asked = ask.ask(conn, actor(), **_wish(conn, request.form), kind=kind)
    except InputError as refused:
        page = render_template("fetch_data/index.html", **_context(request.form, refused=str(refused)))
        return page, refused.status
    if kind == "preview":
        return to_card("previews.index", run_id=asked.run_id)
    there = {"already": 1} if asked.deduplicated else {}
    return to_card("fetch_data.index", institution=request.form["institution"], **there)


def _act(run_id: str, deed: Any) -> Any:
    with pool().connection() as conn:
        run = find(conn, run_id)
        try:
            deed(conn, actor(), run.id)
        except InputError as refused:
            context = _context({"institution": str(run.institution_id)}, refused=str(refused))
            return render_template("fetch_data/index.html", **context), refused.status
        latest = store.latest(conn, run.institution_id) if run.institution_id else None
    if run.kind == "person":
        return to_card("people.index", run=run.id)
    if latest and latest.id != run.id:
        return to_card("run.index", run_id=run.id)
    return to_card("fetch_data.index", institution=run.institution_id)


def to_card(endpoint: str, **values: Any) -> Any:
    """Redirect a browser that pressed a button to the card of the run that the button is about."""
    return redirect(url_for(endpoint, **values, _anchor=RUN_CARD), code=HTTPStatus.SEE_OTHER)


def _context(given: Mapping[str, str], refused: str | None = None) -> dict[str, Any]:
    """What page and fragment show: the register, the chosen institution, its latest run."""
    with pool().connection() as conn:
        institutions = register.institutions(conn)
        wanted = given.get("institution", "")
        chosen = next((one for one in institutions if str(one.id) == wanted), None)
        run = store.latest(conn, chosen.id) if chosen else None
        return {
            "institutions": institutions,
            "chosen": chosen,
            "refused": refused,
            "already": given.get("already"),
            "page_size": given.get("page_size") or ask.PAGE_SIZE,
            "given": given,
            "priorities": list(PRIORITIES),
            "usual": _usual(conn, chosen),
            "recent": store.recent(conn, RECENT_RUNS),
            **card(conn, run),
        }


def _usual(conn: Any, chosen: register.Institution | None) -> dict[str, Any]:
    """What holds where the form says nothing: as the institution says, else the settings."""
    said = care(conn, chosen.id) if chosen else None
    here = settings()
    usual = {"attempts": here.attempts, "attempt_pause": here.attempt_pause, "deadline_minutes": None}
    return usual | {
        name: value for name, value in (said._asdict() if said else {}).items() if value is not None
    }


def card(conn: Any, run: Run | None) -> dict[str, Any]:
    """What the card of a run shows."""
    people = store.first_people(conn, run.id, FIRST_PEOPLE) if run and run.ended else []
    rejects = store.first_rejects(conn, run.id, FIRST_REJECTS) if run and run.rejected else []
    return {"run": run, "people": people, "rejects": rejects}


def _wish(conn: Any, form: Mapping[str, str]) -> dict[str, Any]:
    identifier_type = form.get("identifier_type", "")
    ask.check_identifier_type(identifier_type)
    wanted = whole(form.get("institution"))
    if not wanted:
        raise InvalidInput("Choose an institution first. Nothing was queued.", "bad_institution_id")
    institution = register.institution(conn, wanted)
    return {
        "institution_id": wanted,
        "identifier_type": identifier_type,
        "identifier": (institution and institution.identifier(identifier_type)) or "",
        "page_size": _number(form.get("page_size") or str(ask.PAGE_SIZE)),
        "priority": form.get("priority") or NORMAL,
        "patience": patience.read(*(form.get(name, "") for name in Patience._fields)),
    }


def _number(raw: str) -> int | str:
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 9 else raw
