"""The screen on which an administrator says how an institution's runs are carried out: by whose workers, and
with how much patience; and the same for machines.
"""

from http import HTTPStatus
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for

from hrims.db import Connection
from hrims.errors import InputError, InvalidInput, NotFound
from hrims.jobs.attempts import patience
from hrims.jobs.attempts.patience import Patience
from hrims.jobs.workers import pools, store
from hrims.jobs.workers.store import Care
from hrims.numbers import whole
from hrims.register import store as register
from hrims.register.store import Institution
from hrims.web import guard
from hrims.web.api import body
from hrims.web.guard import actor
from hrims.web.parts import pool, settings

blueprint = Blueprint("care", __name__)

PAGE = "/dashboard/admin/institutions/<institution_id>"
FIELDS = frozenset({"pool", "attempts", "attemptPause", "deadlineMinutes"})

API = "/api/hrims/institutions/<institution_id>/care"


@blueprint.get(PAGE)
def index(institution_id: str) -> str:
    """The page."""
    with pool().connection() as conn:
        return render_template("care/index.html", **_context(conn, institution_id))


@blueprint.post(PAGE)
def save(institution_id: str) -> Any:
    """A button: says it anew; an empty field says nothing."""
    guard.administrators_only()
    with pool().connection() as conn:
        shown = _context(conn, institution_id)
        try:
            name = pools.check_pool(request.form.get("pool", "").strip())
            said = patience.read(*(request.form.get(one, "") for one in Patience._fields))
            pools.care_for(conn, actor(), shown["institution"].id, name, said)
        except InputError as refused:
            again = {**shown, "refused": str(refused), "given": request.form}
            return render_template("care/index.html", **again), refused.status
    return redirect(url_for(".index", institution_id=institution_id, saved="yes"), code=HTTPStatus.SEE_OTHER)


@blueprint.get(API)
def show(institution_id: str) -> dict[str, Any]:
    """How an institution's runs are carried out; null leaves it to the settings."""
    with pool().connection() as conn:
        return _told(conn, find(conn, institution_id))


@blueprint.put(API)
def change(institution_id: str) -> dict[str, Any]:
    """Says it anew, all of it: what is left out is null."""
    guard.administrators_only()
    wish = body()
    if unknown := sorted(set(wish) - FIELDS):
        raise InvalidInput(
            f"There is no {unknown[0]} here; there are {', '.join(sorted(FIELDS))}. Nothing was changed.",
            "unknown_field",
        )
    with pool().connection() as conn:
        institution = find(conn, institution_id)
        said = patience.check(wish.get("attempts"), wish.get("attemptPause"), wish.get("deadlineMinutes"))
        pools.care_for(conn, actor(), institution.id, pools.check_pool(wish.get("pool")), said)
        return _told(conn, institution)


def find(conn: Connection, institution_id: str) -> Institution:
    """The institution with this id, as an address has it. Raises NotFound."""
    number = whole(institution_id)
    found = register.institution(conn, number) if number else None
    if not found:
        raise NotFound("There is no institution with this id on the register.", "unknown_institution")
    return found


def _care(conn: Connection, institution: Institution) -> Care:
    care = store.care(conn, institution.id)
    assert care is not None
    return care


def _context(conn: Connection, institution_id: str) -> dict[str, Any]:
    institution = find(conn, institution_id)
    said = _care(conn, institution)._asdict()
    return {
        "institution": institution,
        "given": {name: "" if value is None else value for name, value in said.items()},
        "known": [one.name for one in store.pools(conn) if one.name],
        "usual": settings(),
        "refused": None,
    }


def _told(conn: Connection, institution: Institution) -> dict[str, Any]:
    care = _care(conn, institution)
    return {
        "success": True,
        "institutionId": institution.id,
        "institutionName": institution.name,
        "pool": care.pool,
        "attempts": care.attempts,
        "attemptPause": care.attempt_pause,
        "deadlineMinutes": care.deadline_minutes,
    }
