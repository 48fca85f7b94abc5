"""Webhooks for machines of administrators: requests come in; endpoints, messages and tries go out as JSON."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from flask import Blueprint, request, url_for

from hrims.db import Connection, one_moment
from hrims.web import guard, webhooks
from hrims.web.answers import time
from hrims.web.api import Answer, body
from hrims.web.filters import Filter
from hrims.web.guard import actor
from hrims.web.parts import pool
from hrims.webhooks import endpoints
from hrims.webhooks.shown import store
from hrims.webhooks.shown.store import Endpoint, Message

blueprint = Blueprint("webhooks_api", __name__, url_prefix="/api/hrims/webhooks")
blueprint.before_request(guard.administrators_only)

ROWS = 100
"""Messages that one answer holds."""


@blueprint.get("")
def show() -> dict[str, Any]:
    """All endpoints, without their secrets."""
    with pool().connection() as conn:
        return {"success": True, "endpoints": [_endpoint(one) for one in store.endpoints(conn)]}


@blueprint.post("")
def add() -> Answer:
    """Adds an endpoint; the answer holds its secret, this once."""
    given = body()
    added = webhooks.add_now(given.get("url"), given.get("description", ""))
    with pool().connection() as conn:
        made = _endpoint(endpoints.find(conn, added.id))
    return {"success": True, **made, "secret": added.secret}, HTTPStatus.CREATED


@blueprint.post("/<endpoint_id>/on")
def switch_on(endpoint_id: str) -> dict[str, Any]:
    """Messages are sent there."""
    return _switch(endpoint_id, on=True)


@blueprint.post("/<endpoint_id>/off")
def switch_off(endpoint_id: str) -> dict[str, Any]:
    """No messages are sent there."""
    return _switch(endpoint_id, on=False)


@blueprint.post("/<endpoint_id>/remove")
def remove(endpoint_id: str) -> dict[str, Any]:
    """Removes an endpoint with its messages."""
    with pool().connection() as conn:
        endpoints.remove(conn, actor(), webhooks.find(conn, endpoint_id).id)
    return {"success": True, "message": "The endpoint was removed."}


@blueprint.post("/<endpoint_id>/test")
def test(endpoint_id: str) -> Answer:
    """Sends a message that tells of no run."""
    return _sent(lambda conn: endpoints.test(conn, actor(), webhooks.find(conn, endpoint_id).id))


@blueprint.get("/messages")
def messages() -> dict[str, Any]:
    """Messages of all endpoints, newest first, by ``?page=``."""
    filter_ = Filter.read("webhooks_api.messages", request.args, webhooks.KINDS, ROWS)
    with pool().connection() as conn:
        found = store.messages(conn, filter_.most, filter_.skip)
    return {
        "success": True,
        "page": filter_.page,
        "messages": [_message(one) for one in found[: filter_.size]],
        "next": filter_.of_page(filter_.page + 1) if len(found) > filter_.size else None,
    }


@blueprint.get("/messages/<key>")
def message(key: str) -> dict[str, Any]:
    """One message: how it stands, what is sent, and every try."""
    with pool().connection() as conn:
        one_moment(conn)
        return {"success": True, **_whole(conn, key)}


@blueprint.post("/messages/<key>/again")
def again(key: str) -> Answer:
    """Sends a message that has ended once more."""

    def deed(conn: Connection) -> str:
        endpoints.send_again(conn, actor(), endpoints.find_message(conn, key))
        return key

    return _sent(deed)


def _switch(endpoint_id: str, *, on: bool) -> dict[str, Any]:
    with pool().connection() as conn:
        endpoints.switch(conn, actor(), webhooks.find(conn, endpoint_id).id, on=on)
        return {"success": True, **_endpoint(webhooks.find(conn, endpoint_id))}


def _sent(deed: Callable[[Connection], str]) -> Answer:
    with pool().connection() as conn:
        key = deed(conn)
    with pool().connection() as conn:
        answer = {"success": True, **_whole(conn, key)}
    return answer | {"messageUrl": url_for(".message", key=key)}, HTTPStatus.ACCEPTED


def _endpoint(one: Endpoint) -> dict[str, Any]:
    return {
        "id": one.id,
        "url": one.url,
        "description": one.description,
        "active": one.active,
        "offBecause": one.off_because,
        "madeBy": one.made_by,
        "madeAt": time(one.made_at),
        "waiting": one.waiting,
        "failed": one.failed,
    }


def _message(one: Message) -> dict[str, Any]:
    return {
        "id": one.key,
        "endpointId": one.endpoint_id,
        "jobId": str(one.run_id) if one.run_id else None,
        "type": one.event,
        "state": one.state,
        "trouble": one.trouble,
        "tries": one.tries,
        "status": one.status,
        "createdAt": time(one.created_at),
        "nextTryAt": time(one.next_try_at),
        "endedAt": time(one.ended_at),
    }


def _whole(conn: Connection, key: str) -> dict[str, Any]:
    found = endpoints.find_message(conn, key)
    tries = [
        {
            "number": t.number,
            "at": time(t.at),
            "status": t.status,
            "trouble": t.trouble,
            "milliseconds": t.milliseconds,
        }
        for t in store.tries(conn, found.id)
    ]
    return _message(found) | {"payload": found.payload, "attempts": tries}
