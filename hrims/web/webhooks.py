"""The screen of webhooks, for administrators: who is told of runs' ends, what was told, and the buttons."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for

from hrims.db import Connection, one_moment
from hrims.errors import InputError, InvalidInput
from hrims.numbers import whole
from hrims.web import guard
from hrims.web.filters import Filter
from hrims.web.guard import actor
from hrims.web.parts import pool, settings
from hrims.webhooks import endpoints
from hrims.webhooks.endpoints import Added
from hrims.webhooks.shown import store

blueprint = Blueprint("webhooks", __name__, url_prefix="/dashboard/admin/webhooks")
blueprint.before_request(guard.administrators_only)

ROWS = 25
"""Messages that the page shows at a time."""

KINDS = ("all",)


@blueprint.get("")
def index() -> str:
    """The page."""
    return render_template("webhooks/index.html", **_context())


@blueprint.post("")
def add() -> Any:
    """A button: adds an endpoint and shows its secret, this once."""
    try:
        added = add_now(request.form.get("url"), request.form.get("description", ""))
    except InputError as refused:
        return _page(refused.status, refused=str(refused), given=request.form)
    # Not after a redirect, as elsewhere: the secret is kept nowhere from which it could be shown.
    return _page(HTTPStatus.CREATED, added=added)


@blueprint.post("/<endpoint_id>/on")
def switch_on(endpoint_id: str) -> Any:
    """A button: messages are sent there."""
    return _act(lambda conn: endpoints.switch(conn, actor(), find(conn, endpoint_id).id, on=True))


@blueprint.post("/<endpoint_id>/off")
def switch_off(endpoint_id: str) -> Any:
    """A button: no messages are sent there."""
    return _act(lambda conn: endpoints.switch(conn, actor(), find(conn, endpoint_id).id, on=False))


@blueprint.post("/<endpoint_id>/remove")
def remove(endpoint_id: str) -> Any:
    """A button: removes an endpoint with its messages."""
    return _act(lambda conn: endpoints.remove(conn, actor(), find(conn, endpoint_id).id))


@blueprint.post("/<endpoint_id>/test")
def test(endpoint_id: str) -> Any:
    """A button: sends a message that tells of no run."""
    return _act(lambda conn: endpoints.test(conn, actor(), find(conn, endpoint_id).id))


@blueprint.get("/messages/<key>")
def message(key: str) -> str:
    """One message: what is sent, and every try."""
    return render_template("webhooks/message.html", **_of_message(key))


@blueprint.post("/messages/<key>/again")
def again(key: str) -> Any:
    """A button: sends a message that has ended once more."""
    try:
        with pool().connection() as conn:
            endpoints.send_again(conn, actor(), endpoints.find_message(conn, key))
    except InputError as refused:
        if refused.status == HTTPStatus.NOT_FOUND:
            raise
        return render_template("webhooks/message.html", **_of_message(key, str(refused))), refused.status
    return redirect(url_for(".message", key=key), code=HTTPStatus.SEE_OTHER)


def add_now(url: object, description: object) -> Added:
    """Adds an endpoint. Raises InputError."""
    with pool().connection() as conn:
        return endpoints.add(conn, actor(), url, description, private=settings().webhook_private)


def find(conn: Connection, endpoint_id: str) -> store.Endpoint:
    """The endpoint with this number. Raises InvalidInput for what is no number, NotFound."""
    number = whole(endpoint_id)
    if not number:
        raise InvalidInput("The number of a webhook endpoint is a whole number.", "bad_endpoint_id")
    return endpoints.find(conn, number)


def _act(deed: Callable[[Connection], Any]) -> Any:
    try:
        with pool().connection() as conn:
            deed(conn)
    except InputError as refused:
        if refused.status in {HTTPStatus.NOT_FOUND, HTTPStatus.BAD_REQUEST}:
            raise
        return _page(refused.status, refused=str(refused))
    return redirect(url_for(".index"), code=HTTPStatus.SEE_OTHER)


def _page(status: int, **more: Any) -> tuple[str, int]:
    return render_template("webhooks/index.html", **(_context() | more)), status


def _context() -> dict[str, Any]:
    filter_ = Filter.read("webhooks.index", request.args, KINDS, ROWS)
    with pool().connection() as conn:
        one_moment(conn)
        found = store.messages(conn, filter_.most, filter_.skip)
        return {
            "endpoints": store.endpoints(conn),
            "messages": found[: filter_.size],
            "more": len(found) > filter_.size,
            "filter": filter_,
            "refused": None,
            "added": None,
            "given": {},
            "private": settings().webhook_private,
        }


def _of_message(key: str, refused: str | None = None) -> dict[str, Any]:
    with pool().connection() as conn:
        one_moment(conn)
        found = endpoints.find_message(conn, key)
        return {
            "one": found,
            "tries": store.tries(conn, found.id),
            "on": endpoints.find(conn, found.endpoint_id).active,
            "refused": refused,
        }
