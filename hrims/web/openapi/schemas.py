"""JSON Schemas of the structures. Input: routes. Output: the schemas, and references to them."""

from collections.abc import Iterable
from functools import cache
from types import UnionType
from typing import Any, Final, get_args

import msgspec
from msgspec import UNSET
from msgspec.structs import fields

from hrims.numbers import LARGEST
from hrims.web.core import responses
from hrims.web.core.responses import Described, ErrorBody, ResponseBody
from hrims.web.core.route import Route

TEMPLATE: Final = "#/components/schemas/{name}"

ID: Final = {"type": "integer", "minimum": 1, "maximum": LARGEST}

JsonObject = dict[str, Any]


def components(routes: Iterable[Route]) -> dict[str, JsonObject]:
    """Return the schemas of all structures of the routes by name, also of those inside others."""
    found: list[type] = [ErrorBody]
    for route in routes:
        described = responses.describe(route.view)
        found += [type_ for type_ in (route.body, *_bodies(described), *_events(described)) if type_]
    _, schemas = msgspec.json.schema_components(dict.fromkeys(found), ref_template=TEMPLATE)
    for type_ in _list_subclasses(ResponseBody):
        if schema := schemas.get(type_.__name__):
            schema["required"] = [field.encode_name for field in fields(type_) if field.default is not UNSET]
    return dict(sorted(schemas.items()))


def _list_subclasses(type_: type) -> list[type]:
    children: list[type] = type_.__subclasses__()
    return [found for child in children for found in (child, *_list_subclasses(child))]


@cache
def reference(type_: type) -> JsonObject:
    """Return the reference to the schema of a structure."""
    (schema,), _ = msgspec.json.schema_components([type_], ref_template=TEMPLATE)
    return schema


def content(described: Described) -> dict[str, JsonObject]:
    """Return the content of a response by media type."""
    if described.stream is None:
        found = [reference(type_) for type_ in _bodies(described)]
        return {responses.JSON: {"schema": found[0] if len(found) == 1 else {"anyOf": found}}}
    media_type, events, _ = described.stream
    if events:
        schema: JsonObject = {"oneOf": [_event(name, types) for name, types in events.items()]}
    else:
        schema = {"type": "object" if media_type == responses.JSON else "string"}
    return {media_type: {"schema": schema}}


def query_parameters(route: Route) -> list[JsonObject]:
    """Return the parameters of the query string of a route. An empty one counts as not sent."""
    if route.query is None:
        return []
    _, schemas = msgspec.json.schema_components([route.query], ref_template=TEMPLATE)
    schema = schemas[route.query.__name__]
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema["required"],
            "allowEmptyValue": name not in schema["required"],
            "schema": _of_query(found),
        }
        for name, found in schema["properties"].items()
    ]


def _of_query(schema: JsonObject) -> JsonObject:
    """Return the schema of a parameter that is left out instead of being null."""
    alternatives = [part for part in schema.get("anyOf", []) if part != {"type": "null"}]
    return dict(alternatives[0]) if len(alternatives) == 1 else schema


def _event(name: str, types: tuple[type, ...]) -> JsonObject:
    """Return the schema of one server-sent event, whose data is JSON."""
    data: JsonObject = {"allOf": [reference(type_) for type_ in types]} if types else {"type": "object"}
    encoded = {"type": "string", "contentMediaType": responses.JSON, "contentSchema": data}
    return {
        "type": "object",
        "properties": {"event": {"const": name}, "data": encoded},
        "required": ["event", "data"],
    }


def _bodies(described: Described) -> tuple[type, ...]:
    if described.body is None:
        return ()
    return get_args(described.body) if isinstance(described.body, UnionType) else (described.body,)


def _events(described: Described) -> list[type]:
    if described.stream is None:
        return []
    return [type_ for types in described.stream.events.values() for type_ in types]
