"""Reads requests. Input: a body, a form, or an id in a URL. Output: values within their bounds.

A view of the API states its body in one place, its parameter ``body``: the type of this parameter validates
the request and describes the API.
"""

import inspect
import json
from collections.abc import Callable
from typing import Any, TypeVar

from flask import request

from hrims.errors import InvalidInput
from hrims.numbers import whole
from hrims.validation import UNCHANGED, Request, validate, validate_form

T = TypeVar("T", bound=Request)
View = Callable[..., Any]


def get_body_type(view: View) -> type[Request] | None:
    """Return the structure of the body of a view: the type of its parameter ``body``."""
    return inspect.get_annotations(view).get("body")


def pass_body(view: View) -> View:
    """Return a view that gets the validated body of the request as ``body``, if it has this parameter."""
    type_ = get_body_type(view)
    return (lambda **values: view(**values, body=_read_body(type_))) if type_ else view


def _read_body(type_: type[T]) -> T:
    if type_.is_optional and not request.get_data():
        return type_()
    return validate(type_, _parse_object())


def read_form(type_: type[T], **given: object) -> T:
    """Return the form in the body of the request, validated. Raises InvalidInput."""
    return validate_form(type_, request.form, **given)


def id_of(given: str, code: str = "bad_id") -> int:
    """Parse an id of a URL. Raises InvalidInput if it is not one."""
    number = whole(given)
    if not number:
        raise InvalidInput(f"An id is a whole number. {UNCHANGED}", code)
    return number


def _parse_object() -> dict[str, Any]:
    try:
        given = json.loads(request.get_data())
    except (ValueError, RecursionError):
        raise InvalidInput(f"The body is not JSON. {UNCHANGED}", "not_json") from None
    if not isinstance(given, dict):
        raise InvalidInput(f"The body must be a JSON object. {UNCHANGED}", "not_json")
    if b"\\u0000" in request.get_data():
        raise InvalidInput(f"The body has a NUL character. {UNCHANGED}", "not_json")
    return given
