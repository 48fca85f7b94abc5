"""The page of webhooks: endpoints, messages and the buttons."""

from http import HTTPStatus
from typing import Any

from flask import render_template, request

from hrims.db import Connection, use_snapshot
from hrims.queries import ListQuery
from hrims.web.core import lookups, requests
from hrims.web.core.actions import perform, to
from hrims.web.core.app_state import pool, settings
from hrims.web.core.bodies import EndpointRequest
from hrims.web.core.guard import actor
from hrims.web.core.paging import Filter
from hrims.webhooks import actions, store

ROWS = 25
"""Messages that the page shows at a time."""


def index(query: ListQuery) -> str:
    """Show the page."""
    return render_template("webhooks/index.html", **_context(query))


def create() -> Any:
    """Handle a button: add an endpoint and show its secret. It is shown only once."""
    return perform(
        _add,
        # No redirect, unlike other buttons: the secret cannot be read again for another page.
        then=lambda added: (_page(added=added), HTTPStatus.CREATED),
        page=lambda refused: _page(refused=refused, given=request.form),
    )


def _add(conn: Connection) -> actions.AddedEndpoint:
    fields = requests.read_form(EndpointRequest)
    return actions.add(conn, actor(), fields.url, fields.description, settings())


def switch_on(endpoint_id: str) -> Any:
    """Handle a button: switch an endpoint on. Messages are sent to it."""
    return _switch(endpoint_id, on=True)


def switch_off(endpoint_id: str) -> Any:
    """Handle a button: switch an endpoint off. No messages are sent to it."""
    return _switch(endpoint_id, on=False)


def remove(endpoint_id: str) -> Any:
    """Handle a button: remove an endpoint with its messages."""
    return perform(
        lambda conn: actions.remove(conn, actor(), lookups.find_endpoint(conn, endpoint_id).id),
        then=to(".index"),
        page=_page,
    )


def send_test(endpoint_id: str) -> Any:
    """Handle a button: send a test message, which belongs to no run."""
    return perform(
        lambda conn: actions.test(conn, actor(), lookups.find_endpoint(conn, endpoint_id).id),
        then=to(".index"),
        page=_page,
    )


def show_message(key: str) -> str:
    """Show one message: its payload and every attempt."""
    return render_template("webhooks/message.html", **_message_context(key))


def resend(key: str) -> Any:
    """Handle a button: resend a message that has ended."""
    return perform(
        lambda conn: actions.send_again(conn, actor(), actions.find_message(conn, key)),
        then=to(".show_message", key=key),
        page=lambda refused: render_template("webhooks/message.html", **_message_context(key, refused)),
    )


def _switch(endpoint_id: str, *, on: bool) -> Any:
    return perform(
        lambda conn: actions.switch(conn, actor(), lookups.find_endpoint(conn, endpoint_id).id, on=on),
        then=to(".index"),
        page=_page,
    )


def _page(refused: str | None = None, **context: Any) -> str:
    return render_template("webhooks/index.html", **(_context(ListQuery()) | {"refused": refused} | context))


def _context(query: ListQuery) -> dict[str, Any]:
    filter_ = Filter("webhooks.index", ROWS, query.page)
    with pool().connection() as conn:
        use_snapshot(conn)
        messages = store.list_messages(conn, filter_.limit, filter_.offset)
        return {
            "endpoints": store.list_endpoints(conn),
            "messages": filter_.take(messages),
            "filter": filter_,
            "refused": None,
            "added": None,
            "given": {},
            "private": settings().webhook_private,
        }


def _message_context(key: str, refused: str | None = None) -> dict[str, Any]:
    with pool().connection() as conn:
        use_snapshot(conn)
        message = actions.find_message(conn, key)
        return {
            "message": message,
            "attempts": store.list_attempts(conn, message.id),
            "is_on": actions.find(conn, message.endpoint_id).active,
            "refused": refused,
        }
