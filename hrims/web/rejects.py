"""The screen of rejects across runs: the filter, the list, downloads of it, and asking again."""

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from http import HTTPStatus
from typing import IO, Any, cast
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, make_response, render_template, request, url_for

from hrims.errors import InputError, InvalidInput
from hrims.numbers import whole
from hrims.rejects import export, store, words
from hrims.rejects.asking import ask_again
from hrims.rejects.listing import Filter
from hrims.web.fetch_data import to_card
from hrims.web.guard import actor
from hrims.web.parts import pool, settings

blueprint = Blueprint("rejects", __name__, url_prefix="/dashboard/admin/rejects")

CHUNK = 64 * 1024
"""Bytes of a download sent at a time."""

IN_MEMORY = 1024 * 1024
"""Bytes of a download kept in memory before they go into a file."""


@blueprint.get("")
def index() -> Any:
    """The page: the filter in the address, the rejects that it finds."""
    return _page("rejects/index.html")


@blueprint.get("/table")
def table() -> Any:
    """The part of the page that depends on the filter."""
    part = make_response(_page("rejects/_list.html"))
    # The address follows the filter, so that a reload shows what was chosen.
    query = urlencode(request.args)
    part.headers["HX-Replace-Url"] = f"{url_for('.index')}?{query}" if query else url_for(".index")
    return part


@blueprint.get("/rejects.<kind>")
def download(kind: str) -> Response:
    """All rejects that the filter finds, as ``csv`` or ``xlsx``."""
    if kind not in export.WRITERS:
        abort(HTTPStatus.NOT_FOUND)
    with pool().connection() as conn:
        spooled = _written(kind, Filter.read(request.args, conn))
    answer = Response(_sent(spooled), content_type=export.MIMES[kind])
    answer.headers["Content-Disposition"] = (
        f'attachment; filename="rejects-{datetime.now(UTC):%Y-%m-%d}.{kind}"'
    )
    answer.call_on_close(spooled.close)
    return answer


def _written(kind: str, found: Filter) -> IO[bytes]:
    """The whole file. It is sent when it is written: a client that reads slowly keeps no connection."""
    spooled = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed once it is sent
    try:
        export.WRITERS[kind](found.every(), settings().time_zone, cast("IO[bytes]", spooled))
    except BaseException:
        spooled.close()
        raise
    return cast("IO[bytes]", spooled)


@blueprint.post("/ask-again")
def again() -> Any:
    """A button: queues a run that asks again for the rejected of a listing, and shows it."""
    institution = request.form.get("institution", "")
    try:
        if not whole(institution):
            raise InvalidInput("Choose an institution first. Nothing was queued.", "bad_institution_id")
        with pool().connection() as conn:
            asked = ask_again(conn, actor(), whole(institution), request.form.get("identifier_type", ""))
    except InputError as refused:
        return _page("rejects/index.html", given={"institution": institution}, refused=refused)
    there = 1 if asked.deduplicated else None
    return to_card("fetch_data.index", institution=institution, already=there)


def _page(template: str, given: Any = None, refused: InputError | None = None) -> Any:
    with pool().connection() as conn:
        try:
            found = Filter.read(request.args if given is None else given, conn)
        except InvalidInput as wrong:
            found, refused = Filter(conn=conn), refused or wrong
        page = render_template(
            template,
            found=found,
            institutions=store.concerned(conn),
            codes=words.CODES,
            refused=str(refused) if refused else None,
        )
    return page, refused.status if refused else HTTPStatus.OK


def _sent(spooled: IO[bytes]) -> Iterator[bytes]:
    with spooled:
        spooled.seek(0)
        while chunk := spooled.read(CHUNK):
            yield chunk
