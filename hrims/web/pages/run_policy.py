"""The page on which an administrator sets an institution's run policy: its pool and its retry policy."""

from http import HTTPStatus
from typing import Any

from flask import redirect, render_template, request, url_for

from hrims.db import Connection
from hrims.errors import InputError
from hrims.jobs.workers import pools, store
from hrims.web.core import lookups, requests
from hrims.web.core.app_state import pool, settings
from hrims.web.core.bodies import RunPolicyRequest
from hrims.web.core.guard import actor
from hrims.web.core.queries import SavedQuery

PAGE = "/dashboard/admin/institutions/<institution_id>"


def show(institution_id: str, query: SavedQuery) -> str:
    """Show the page."""
    with pool().connection() as conn:
        context = _context(conn, institution_id) | {"saved": query.saved}
        return render_template("run_policy/index.html", **context)


def update(institution_id: str) -> Any:
    """Handle a button: replace the policy. An empty field falls back to the settings."""
    with pool().connection() as conn:
        context = _context(conn, institution_id)
        try:
            fields = requests.read_form(RunPolicyRequest)
            id_ = context["institution"].id
            pools.set_run_policy(conn, actor(), id_, fields.pool or None, fields.retry_policy)
        except InputError as refused:
            context_ = {**context, "refused": str(refused), "given": request.form}
            return render_template("run_policy/index.html", **context_), refused.status
    return redirect(url_for(".show", institution_id=institution_id, saved="yes"), code=HTTPStatus.SEE_OTHER)


def _context(conn: Connection, institution_id: str) -> dict[str, Any]:
    institution = lookups.find_institution(conn, institution_id)
    policy = lookups.find_run_policy(conn, institution)._asdict()
    return {
        "institution": institution,
        "given": {name: "" if value is None else value for name, value in policy.items()},
        "known": [pool_.name for pool_ in store.list_pools(conn) if pool_.name],
        "defaults": settings(),
        "refused": None,
        "saved": None,
    }
