"""The API of webhooks. Output: endpoints, messages and attempts."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from flask import url_for

from hrims.db import Connection, use_snapshot
from hrims.queries import ListQuery
from hrims.web.core import lookups, serializers
from hrims.web.core.app_state import pool, settings
from hrims.web.core.bodies import EndpointRequest
from hrims.web.core.guard import actor
from hrims.web.core.paging import Filter
from hrims.web.core.serializers import time
from hrims.webhooks import actions, store
from hrims.webhooks.store import Endpoint, Message

ROWS = 100
"""Messages in one response."""


def index() -> dict[str, Any]:
    """Return all endpoints, without their secrets."""
    with pool().connection() as conn:
        return {
            "success": True,
            "endpoints": [_serialize_endpoint(endpoint) for endpoint in store.list_endpoints(conn)],
        }


def create(body: EndpointRequest) -> serializers.JsonResponse:
    """Add an endpoint. Only this response contains its secret."""
    with pool().connection() as conn:
        added = actions.add(conn, actor(), body.url, body.description, settings())
    with pool().connection() as conn:
        made = _serialize_endpoint(actions.find(conn, added.id))
    return {"success": True, **made, "secret": added.secret}, HTTPStatus.CREATED


def switch_on(endpoint_id: str) -> dict[str, Any]:
    """Switch an endpoint on: messages are sent to it."""
    return _switch(endpoint_id, on=True)


def switch_off(endpoint_id: str) -> dict[str, Any]:
    """Switch an endpoint off: no messages are sent to it."""
    return _switch(endpoint_id, on=False)


def remove(endpoint_id: str) -> dict[str, Any]:
    """Remove an endpoint with its messages."""
    with pool().connection() as conn:
        actions.remove(conn, actor(), lookups.find_endpoint(conn, endpoint_id).id)
    return {"success": True, "message": "The endpoint was removed."}


def send_test(endpoint_id: str) -> serializers.JsonResponse:
    """Send a test message, which belongs to no run."""
    return _send(lambda conn: actions.test(conn, actor(), lookups.find_endpoint(conn, endpoint_id).id))


def list_messages(query: ListQuery) -> dict[str, Any]:
    """Return messages of all endpoints, newest first, by ``?page=``."""
    filter_ = Filter("api.webhooks.list_messages", ROWS, query.page)
    with pool().connection() as conn:
        rows = store.list_messages(conn, filter_.limit, filter_.offset)
    return {
        "success": True,
        "page": filter_.page,
        "messages": [_serialize_message(message) for message in filter_.take(rows)],
        "next": filter_.next_link,
    }


def show_message(key: str) -> dict[str, Any]:
    """Return one message: its state, its payload and every attempt."""
    with pool().connection() as conn:
        use_snapshot(conn)
        return {"success": True, **_serialize_whole_message(conn, key)}


def resend(key: str) -> serializers.JsonResponse:
    """Resend a message that has ended."""

    def resend_message(conn: Connection) -> str:
        actions.send_again(conn, actor(), actions.find_message(conn, key))
        return key

    return _send(resend_message)


def _switch(endpoint_id: str, *, on: bool) -> dict[str, Any]:
    with pool().connection() as conn:
        actions.switch(conn, actor(), lookups.find_endpoint(conn, endpoint_id).id, on=on)
        return {"success": True, **_serialize_endpoint(lookups.find_endpoint(conn, endpoint_id))}


def _send(action: Callable[[Connection], str]) -> serializers.JsonResponse:
    with pool().connection() as conn:
        key = action(conn)
    with pool().connection() as conn:
        answer = {"success": True, **_serialize_whole_message(conn, key)}
    return answer | {"messageUrl": url_for(".show_message", key=key)}, HTTPStatus.ACCEPTED


def _serialize_endpoint(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "id": endpoint.id,
        "url": serializers.webhook_url(endpoint.url),
        "description": endpoint.description,
        "active": endpoint.active,
        "offBecause": endpoint.off_because,
        "madeBy": endpoint.made_by,
        "madeAt": time(endpoint.made_at),
        "waiting": endpoint.waiting,
        "failed": endpoint.failed,
    }


def _serialize_message(message: Message) -> dict[str, Any]:
    return {
        "id": message.key,
        "endpointId": message.endpoint_id,
        "jobId": str(message.run_id) if message.run_id else None,
        "type": message.event,
        "state": message.state,
        "trouble": message.trouble,
        "tries": message.tries,
        "status": message.status,
        "createdAt": time(message.created_at),
        "nextTryAt": time(message.next_try_at),
        "endedAt": time(message.ended_at),
    }


def _serialize_whole_message(conn: Connection, key: str) -> dict[str, Any]:
    message = actions.find_message(conn, key)
    attempts = [
        {
            "number": attempt.number,
            "at": time(attempt.at),
            "status": attempt.status,
            "trouble": attempt.trouble,
            "milliseconds": attempt.milliseconds,
        }
        for attempt in store.list_attempts(conn, message.id)
    ]
    return _serialize_message(message) | {"payload": message.payload, "attempts": attempts}
