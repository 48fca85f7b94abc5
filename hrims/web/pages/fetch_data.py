"""The page on which an HR officer fetches an institution and follows the run: page, fragments, buttons."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, TypeVar

from flask import Response, make_response, redirect, render_template, request, url_for

from hrims.access.actor import Actor
from hrims.db import Connection
from hrims.errors import InputError
from hrims.institutions import store as institution_store
from hrims.jobs import control, enqueue
from hrims.jobs.rate_limit.priorities import PRIORITIES
from hrims.jobs.workers.store import find_run_policy
from hrims.runs import store
from hrims.runs.model import Run
from hrims.runs.store import FIRST_PEOPLE
from hrims.web.core import lookups, requests
from hrims.web.core.actions import perform
from hrims.web.core.app_state import pool, settings
from hrims.web.core.forms import RunForm, ShownInstitutionForm
from hrims.web.core.guard import actor, mask, scope
from hrims.web.core.queries import FetchQuery, InstitutionQuery

T = TypeVar("T")

STOP_POLLING = 286
"""The status that makes htmx stop polling a fragment."""

RECENT_RUNS = 8
"""Runs of all institutions that the page shows."""

FIRST_REJECTS = 20
"""Rejects of a run that the page shows."""

RUN_CARD = "run"
"""The HTML id of a run's card. A URL with this fragment moves the view and the keyboard focus to it."""

NOTHING: Mapping[str, str] = {}


def index(query: FetchQuery) -> str:
    """Show the page for the institution in ``?institution=``."""
    return render_template("fetch_data/index.html", **_context(query.institution, already=query.already > 0))


def show_institution(query: InstitutionQuery) -> Response:
    """Show the fragment that depends on the institution: its buttons and its latest run."""
    context = _context(query.institution)
    part = make_response(render_template("fetch_data/_choice.html", **context))
    # Update the URL with the choice, so that a reload shows it.
    part.headers["HX-Replace-Url"] = url_for(".index", institution=context["chosen"] and context["chosen"].id)
    return part


def fetch() -> Any:
    """Handle a button: enqueue a run and show it. If it is refused, show the reason on the page."""
    return _ask("sync")


def fetch_preview() -> Any:
    """Handle a button: enqueue a run that only shows what it would change, and redirect to its preview."""
    return _ask("preview")


def show_run(run_id: str) -> Response:
    """Show the live card of a run. Status 286 when it has ended, which stops the polling."""
    with pool().connection() as conn:
        run = lookups.find_run(conn, run_id)
        shown = render_template("fetch_data/_run.html", **card(conn, run))
    answer = make_response(shown, STOP_POLLING if run.ended else HTTPStatus.OK)
    if run.ended:
        # Refresh the list of runs immediately. Otherwise it contradicts the card until its next poll.
        answer.headers["HX-Trigger"] = "run-ended"
    return answer


def show_recent() -> Response:
    """Show the latest runs. Status 286 when all have ended, which stops the polling."""
    with pool().connection() as conn:
        runs = store.list_recent(conn, scope(), RECENT_RUNS)
    table = render_template("fetch_data/_recent.html", recent=runs)
    return make_response(table, HTTPStatus.OK if any(not run.ended for run in runs) else STOP_POLLING)


def cancel(run_id: str) -> Any:
    """Handle a button: cancel an unfinished run."""
    return _perform(run_id, control.cancel)


def retry(run_id: str) -> Any:
    """Handle a button: retry a failed or cancelled run from its checkpoint."""
    return _perform(run_id, control.retry)


def repeat(run_id: str) -> Any:
    """Handle a button: enqueue a new run in place of one that failed, was cancelled or is incomplete."""
    return _perform(
        run_id, control.repeat_run, lambda _, repeated: to_card("run.show", run_id=repeated.run_id)
    )


def _ask(kind: str) -> Any:
    try:
        fields = requests.read_form(RunForm)
        with pool().connection() as conn:
            result = enqueue.enqueue_run(conn, actor(), **_to_run_fields(conn, fields), kind=kind)
    except InputError as refused:
        shown = requests.read_form(ShownInstitutionForm).institution
        context = _context(shown, typed=request.form, refused=str(refused))
        return render_template("fetch_data/index.html", **context), refused.status
    if kind == "preview":
        return to_card("previews.show", run_id=result.run_id)
    params = {"already": 1} if result.deduplicated else {}
    return to_card("fetch_data.index", institution=fields.institution, **params)


def _perform(
    run_id: str, action: Callable[[Connection, Actor, int], T], then: Callable[[Run, T], Any] | None = None
) -> Any:
    with pool().connection() as conn:
        run = lookups.find_run(conn, run_id)
    return perform(
        lambda conn: action(conn, actor(), run.id),
        then=lambda result: then(run, result) if then else _to_run(run),
        page=lambda refused: render_template(
            "fetch_data/index.html", **_context(run.institution_id, refused=refused)
        ),
    )


def _to_run(run: Run) -> Any:
    """Redirect to the card of the run, on the page that shows it."""
    if run.kind == "person":
        return to_card("people.index", run=run.id)
    with pool().connection() as conn:
        latest = store.find_latest(conn, run.institution_id) if run.institution_id else None
    if latest and latest.id != run.id:
        return to_card("run.show", run_id=run.id)
    return to_card("fetch_data.index", institution=run.institution_id)


def to_card(endpoint: str, **values: Any) -> Any:
    """Redirect a browser that pressed a button to the card of the run that the button is about."""
    return redirect(url_for(endpoint, **values, _anchor=RUN_CARD), code=HTTPStatus.SEE_OTHER)


def _context(
    institution_id: int | None,
    *,
    typed: Mapping[str, str] = NOTHING,
    already: bool = False,
    refused: str | None = None,
) -> dict[str, Any]:
    """Return what page and fragment show: the register, the chosen institution, its latest run."""
    with pool().connection() as conn:
        institutions = institution_store.list_institutions(conn, scope())
        chosen = next((found for found in institutions if found.id == institution_id), None)
        run = store.find_latest(conn, chosen.id) if chosen else None
        return {
            "institutions": institutions,
            "chosen": chosen,
            "refused": refused,
            "already": already,
            "page_size": typed.get("page_size") or enqueue.PAGE_SIZE,
            "given": typed,
            "priorities": list(PRIORITIES),
            "defaults": _find_defaults(conn, chosen),
            "recent": store.list_recent(conn, scope(), RECENT_RUNS),
            **card(conn, run),
        }


def _find_defaults(conn: Any, chosen: institution_store.Institution | None) -> dict[str, Any]:
    """Return the values of empty fields: those of the institution, else those of the settings."""
    policy = find_run_policy(conn, chosen.id) if chosen else None
    environment = settings()
    defaults = {
        "attempts": environment.attempts,
        "attempt_pause": environment.attempt_pause,
        "deadline_minutes": None,
    }
    return defaults | {
        name: value for name, value in (policy._asdict() if policy else {}).items() if value is not None
    }


def card(conn: Any, run: Run | None) -> dict[str, Any]:
    """Return what the card of a run shows."""
    people = store.list_first_people(conn, scope(), run.id, FIRST_PEOPLE) if run and run.ended else []
    rejects = store.list_first_rejects(conn, run.id, FIRST_REJECTS) if run and run.rejected else []
    return {"run": run, "people": mask().rows(people), "rejects": mask().rows(rejects)}


def _to_run_fields(conn: Connection, fields: RunForm) -> dict[str, Any]:
    institution = institution_store.find_institution(conn, fields.institution, scope())
    return {
        "institution_id": fields.institution,
        "identifier_type": fields.identifier_type,
        "identifier": (institution and institution.identifier(fields.identifier_type)) or "",
        "page_size": fields.page_size,
        "priority": fields.priority,
        "retry_policy": fields.retry_policy,
    }
