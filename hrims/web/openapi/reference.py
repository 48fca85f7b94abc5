"""The description for people. Input: the document. Output: what the page “API” shows."""

import json
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from hrims.numbers import LARGEST

JsonObject = dict[str, Any]

FORMATS: Final = {"date-time": "time like 2026-12-01T08:30:00.000+00:00", "date": "date like 2026-12-01"}


COMBINED: Final = {"anyOf": " or ", "oneOf": ", ", "allOf": " with "}
"""The words of JSON Schema that combine schemas, and what stands between these in a text."""


class Part(NamedTuple):
    """A piece of text, and the structure that it names, if any."""

    text: str
    structure: str | None = None


class Field(NamedTuple):
    """A field of a structure, or a parameter. ``place`` is empty, ``path`` or ``query``."""

    name: str
    place: str
    is_required: bool
    parts: list[Part]


class Answer(NamedTuple):
    """A response: its status, what it means, and its content."""

    status: str
    meaning: str
    parts: list[Part]


class Operation(NamedTuple):
    """A request and its responses. ``scope`` is the smallest scope of a token that allows it, if any does."""

    name: str
    method: str
    url: str
    summary: str
    description: str
    is_public: bool
    scope: str | None
    permission: str | None
    parameters: list[Field]
    body: str | None
    answers: list[Answer]
    errors: list[str]


class Structure(NamedTuple):
    """A structure with its fields."""

    name: str
    description: str
    fields: list[Field]


def list_operations(document: JsonObject) -> dict[str, list[Operation]]:
    """Return the operations by resource."""
    operations = [
        _operation(url, method, found)
        for url, methods in document["paths"].items()
        for method, found in methods.items()
    ]
    resources = [tag["name"] for tag in document["tags"]]
    return {
        resource: [item for item in operations if item.name.split(".")[0] == resource]
        for resource in resources
    }


def list_structures(document: JsonObject) -> list[Structure]:
    """Return the structures, ordered by name."""
    return [
        Structure(name, schema.get("description", ""), _fields(schema))
        for name, schema in document["components"]["schemas"].items()
    ]


def describe(schema: JsonObject) -> list[Part]:
    """Return what a value of this schema is, in words."""
    for word, separator in COMBINED.items():
        if parts := schema.get(word):
            return _join([describe(part) for part in parts], separator)
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return [Part(name, name)]
    if schema.get("type") == "array":
        return [Part("list of "), *describe(schema["items"])]
    if event := schema.get("properties", {}).get("event"):
        data = schema["properties"]["data"]["contentSchema"]
        return [Part(f"event {event['const']}: "), *describe(data)]
    return [Part(_describe_value(schema))]


def _describe_value(schema: JsonObject) -> str:
    if "enum" in schema:
        values = [value if isinstance(value, str) else json.dumps(value) for value in schema["enum"]]
        return values[0] if len(values) == 1 else f"one of {', '.join(values)}"
    type_: Any = schema.get("type", "any value")
    if isinstance(type_, list):
        return " or ".join(_describe_value(schema | {"type": part}) for part in type_)
    return WORDS[type_](schema) if type_ in WORDS else NAMES.get(type_, type_)


def _text(schema: JsonObject) -> str:
    if found := FORMATS.get(schema.get("format", "")):
        return found
    minimum, maximum = schema.get("minLength", 0), schema.get("maxLength")
    return f"text of {minimum:,} to {maximum:,} characters" if maximum else "text"


def _number(schema: JsonObject) -> str:
    name = "whole number" if schema["type"] == "integer" else "number"
    minimum, maximum = schema.get("minimum"), schema.get("maximum")
    if minimum is None:
        return name
    end = f" to {maximum:,}" if maximum is not None and maximum < LARGEST else ""
    return f"{name} from {minimum:,}{end}"


WORDS: Final[dict[str, Callable[[JsonObject], str]]] = {
    "string": _text,
    "integer": _number,
    "number": _number,
}

NAMES: Final = {"boolean": "true or false"}


def _join(groups: list[list[Part]], separator: str) -> list[Part]:
    return [part for group in groups for part in (Part(separator), *group)][1:]


def _operation(url: str, method: str, found: JsonObject) -> Operation:
    answers = {status: answer for status, answer in found["responses"].items() if "content" in answer}
    body = found.get("requestBody", {}).get("content", {}).get("application/json")
    return Operation(
        name=found["operationId"],
        method=method.upper(),
        url=url,
        summary=found["summary"],
        description=found["description"],
        is_public=not found["security"],
        scope=next((scope for way in found["security"] for scope in way.get("token", [])), None),
        permission=found.get("x-permission"),
        parameters=[
            Field(item["name"], item["in"], item["required"], describe(item["schema"]))
            for item in found["parameters"]
        ],
        body=describe(body["schema"])[0].text if body else None,
        answers=[_answer(status, answer) for status, answer in answers.items()],
        errors=[status for status in found["responses"] if status not in answers],
    )


def _answer(status: str, answer: JsonObject) -> Answer:
    ((_, content),) = answer["content"].items()
    return Answer(status, answer["description"], describe(content["schema"]))


def _fields(schema: JsonObject) -> list[Field]:
    return [
        Field(name, "", name in schema.get("required", []), describe(found))
        for name, found in schema.get("properties", {}).items()
    ]
