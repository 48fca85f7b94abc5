"""Performs the action of a button.

Input: an action on the database. Output: a redirect, or the page with the reason for a refusal.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

from flask import Response, current_app, redirect, url_for

from hrims.db import Connection
from hrims.errors import InputError, NotFound
from hrims.web.core import refusals
from hrims.web.core.app_state import pool

T = TypeVar("T")


def perform(
    action: Callable[[Connection], T], *, then: Callable[[T], Any], page: Callable[[str], str]
) -> Any:
    """Perform ``action`` in one transaction and return ``then`` of its result.

    Errors are handled as in ``answer``.
    """

    def in_transaction() -> T:
        with pool().connection() as conn:
            return action(conn)

    return answer(in_transaction, then=then, page=page)


def answer(action: Callable[[], T], *, then: Callable[[T], Any], page: Callable[[str], str]) -> Any:
    """Return ``then`` of the result of ``action``, which opens its own transactions.

    If the input is refused, return ``page`` of the reason with the status of the error. NotFound is raised:
    without the object there is no page to show.
    """
    try:
        result = action()
    except NotFound:
        raise
    except InputError as error:
        return refuse(page(str(error)), error)
    return then(result)


def refuse(page: str, error: InputError) -> Response:
    """Return the page of a refusal, with the status of the error and when the user may try again."""
    refusals.name(error)
    response = current_app.make_response((page, error.status))
    if retry_after := getattr(error, "retry_after", None):
        response.headers["Retry-After"] = str(retry_after)
    return response


def to(endpoint: str, **values: Any) -> Callable[[object], Any]:
    """Return a ``then`` that redirects to a page, whatever the result of the action is."""
    return lambda _: see_other(endpoint, **values)


def see_other(endpoint: str, **values: Any) -> Any:
    """Redirect the browser to a page after a form was sent, so that a reload does not send it again."""
    return redirect(url_for(endpoint, **values), code=HTTPStatus.SEE_OTHER)
