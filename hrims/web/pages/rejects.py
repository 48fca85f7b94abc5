"""The page of rejects across runs: the filter, the list, its downloads, and the retry of rejects."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from flask import Response, abort, make_response, render_template, request, url_for
from msgspec.structs import asdict

from hrims.access.audit import record
from hrims.errors import InputError
from hrims.rejects import export, messages, store
from hrims.rejects.actions import retry_rejects
from hrims.rejects.listing import RejectQuery
from hrims.web.core import downloads, requests
from hrims.web.core.app_state import pool, settings
from hrims.web.core.forms import RejectsForm, ShownInstitutionForm
from hrims.web.core.guard import actor, mask, scope
from hrims.web.core.paging import Filter
from hrims.web.core.queries import RejectsPageQuery
from hrims.web.pages.fetch_data import to_card


def index(query: RejectsPageQuery) -> str:
    """Show the page: the filter from the URL, and the rejects that match it."""
    return _page("rejects/index.html", query)


def show_list(query: RejectsPageQuery) -> Any:
    """Show the fragment that depends on the filter."""
    fragment = make_response(_page("rejects/_list.html", query))
    # Update the URL with the filter, so that a reload shows the same rejects.
    params = urlencode(request.args)
    fragment.headers["HX-Replace-Url"] = f"{url_for('.index')}?{params}" if params else url_for(".index")
    return fragment


def download(kind: str, query: RejectsPageQuery) -> Response:
    """Return all rejects that match the filter, as ``csv`` or ``xlsx``."""
    if kind not in export.WRITERS:
        abort(HTTPStatus.NOT_FOUND)
    with pool().connection() as conn:
        found = RejectQuery(**asdict(query), user_scope=scope(), mask=mask(), conn=conn)
        write, zone, filters = export.WRITERS[kind], settings().time_zone, sorted(found.params)
        record(conn, actor(), "rejects.export", None, format=kind, filters=filters, rows=found.total)
        name = f"rejects-{datetime.now(UTC):%Y-%m-%d}.{kind}"
        return downloads.send(lambda file: write(found.iterate_all(), zone, file), export.MIMES[kind], name)


def fetch_again() -> Any:
    """Handle a button: enqueue a run that fetches the rejects of a listing again, and show it."""
    try:
        fields = requests.read_form(RejectsForm)
        with pool().connection() as conn:
            result = retry_rejects(conn, actor(), fields.institution, fields.identifier_type)
    except InputError as refused:
        shown = requests.read_form(ShownInstitutionForm).institution
        query = RejectsPageQuery(institution_id=shown or None)
        return _page("rejects/index.html", query, str(refused)), refused.status
    there = 1 if result.deduplicated else None
    return to_card("fetch_data.index", institution=fields.institution, already=there)


def _page(template: str, query: RejectsPageQuery, refused: str | None = None) -> str:
    with pool().connection() as conn:
        found = RejectQuery(**asdict(query), user_scope=scope(), mask=mask(), conn=conn)
        found.record_search(actor())
        return render_template(
            template,
            query=found,
            filter=Filter(
                "rejects.index",
                found.page_size,
                found.page,
                params=found.params,
                total=found.total,
                has_next=found.page < found.pages,
            ),
            institutions=store.list_institutions(conn, scope()),
            codes=messages.CODES,
            refused=refused,
        )
