"""Builds the document. Input: routes. Output: the description of their operations, and of all structures."""

import inspect
import re
from collections.abc import Iterable
from functools import cache
from http import HTTPStatus
from typing import Any, Final

import msgspec
from flask import Flask, current_app

from hrims.access.permissions import TOKEN_SCOPES
from hrims.version import VERSION
from hrims.web.core import responses
from hrims.web.core.permissions import PUBLIC
from hrims.web.core.responses import ErrorBody
from hrims.web.core.route import Route
from hrims.web.openapi import schemas
from hrims.web.openapi.errors import ERRORS, is_guarded_by_view, statuses_of

EXTENSION = "hrims.openapi"

PARAMETER: Final = re.compile("<([a-z_]+)>")

TEXT_PARAMETERS: Final = frozenset({"key"})
"""Parameters of URLs that are no ids."""

DESCRIPTION: Final = """\
The API starts runs, which copy the employees of institutions from HRIMS, and tells how complete they are.

Send a token of the page “Tokens” as `Authorization: Bearer …`. It may do what its user and its scope allow,
for the user's institutions. What is outside the scope is answered like an unknown id, with 404.

Errors have one form: their `message` is for people, their `code` for programs. Responses may get further
fields: ignore those that you do not know.
"""

TOKEN: Final = {
    "type": "http",
    "scheme": "bearer",
    "description": "A token of `hrims token add` or the page “Tokens”. Scopes: `read`, `sync`, `manage`.",
}

SESSION: Final = {
    "type": "apiKey",
    "in": "cookie",
    "name": "hrims_session",
    "description": "The session of a browser that has signed in. The name of the cookie also has the id of "
    "the installation. Requests that change something need the header `X-CSRFToken` as well.",
}

HEADERS: Final = {
    "X-Request-Id": {
        "description": "The id of the request in the log and the audit trail.",
        "schema": {"type": "string"},
    },
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}},
}

JsonObject = dict[str, Any]


def attach(app: Flask, routes: Iterable[Route]) -> None:
    """Attach the routes of the API to an app. The document is built when it is first read."""
    app.extensions[EXTENSION] = tuple(route for route in routes if route.is_api)


def document() -> JsonObject:
    """Return the description of the API of the current app."""
    return build(current_app.extensions[EXTENSION])


def encoded() -> bytes:
    """Return the description as JSON."""
    return msgspec.json.encode(document())


@cache
def build(routes: tuple[Route, ...]) -> JsonObject:
    """Return the description of these routes."""
    paths: dict[str, JsonObject] = {}
    for route in routes:
        paths.setdefault(PARAMETER.sub(r"{\1}", route.url), {})[route.method.lower()] = _operation(route)
    described: JsonObject = {
        "openapi": "3.1.0",
        "info": {"title": "HRIMS Sync", "version": VERSION, "description": DESCRIPTION},
        "tags": [{"name": name, "description": text} for name, text in _tags(routes).items()],
        "paths": paths,
        "components": {
            "schemas": schemas.components(routes),
            "responses": {str(status): _error(status) for status in ERRORS},
            "headers": HEADERS,
            "securitySchemes": {"token": TOKEN, "session": SESSION},
        },
    }
    return {name: to_markdown(value) for name, value in described.items()}


def to_markdown(value: Any) -> Any:
    """Return the value with the code of docstrings as that of Markdown."""
    if isinstance(value, dict):
        return {name: to_markdown(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [to_markdown(inner) for inner in value]
    return value.replace("``", "`") if isinstance(value, str) else value


def _operation(route: Route) -> JsonObject:
    summary, _, description = inspect.cleandoc(route.view.__doc__ or "").partition("\n")
    operation = {
        "operationId": route.endpoint.removeprefix("api."),
        "tags": [_tag(route)],
        "summary": summary,
        "description": description.strip(),
        "parameters": [*_path_parameters(route), *schemas.query_parameters(route)],
        "responses": _responses(route),
        "security": _security(route),
    }
    if route.body:
        operation["requestBody"] = {
            "required": not route.body.is_optional,
            "content": {responses.JSON: {"schema": schemas.reference(route.body)}},
        }
    if route.permission is not PUBLIC:
        operation["x-permission"] = route.permission.value
    return operation


def _path_parameters(route: Route) -> list[JsonObject]:
    return [
        {"name": name, "in": "path", "required": True, "schema": _parameter_schema(name)}
        for name in PARAMETER.findall(route.url)
    ]


def _parameter_schema(name: str) -> JsonObject:
    return {"type": "string"} if name in TEXT_PARAMETERS else schemas.ID


def _responses(route: Route) -> dict[str, JsonObject]:
    described = responses.describe(route.view)
    content = schemas.content(described)
    own: dict[str, JsonObject] = {
        str(int(status)): {
            "description": HTTPStatus(status).phrase,
            "headers": {"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}},
            "content": content,
        }
        for status in described.statuses
    }
    errors = {str(status): {"$ref": f"#/components/responses/{status}"} for status in statuses_of(route)}
    return dict(sorted((errors | own).items()))


def _error(status: int) -> JsonObject:
    names = ["X-Request-Id"]
    if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        names.append("Retry-After")
    return {
        "description": ERRORS[status],
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
        "content": {responses.JSON: {"schema": schemas.reference(ErrorBody)}},
    }


def _security(route: Route) -> list[dict[str, list[str]]]:
    """Return the ways to authenticate: the smallest scope of a token that allows the route, or a session."""
    if route.permission is PUBLIC:
        return [{"token": []}] if is_guarded_by_view(route) else []
    scopes = [scope for scope, granted in TOKEN_SCOPES.items() if route.permission in granted]
    return [*({"token": [scope]} for scope in scopes[:1]), {"session": []}]


def _tags(routes: Iterable[Route]) -> dict[str, str]:
    """Return the resources with their descriptions: the docstrings of their modules."""
    modules = {_tag(route): inspect.getmodule(route.view) for route in routes}
    return {
        name: inspect.cleandoc(module.__doc__ or "").partition("\n")[0]
        for name, module in modules.items()
        if module
    }


def _tag(route: Route) -> str:
    return route.endpoint.split(".")[1]
