"""The description of the API: valid, complete, and readable on its page."""

import re
from typing import Any

import pytest
from flask import Flask
from openapi_spec_validator import OpenAPIV31SpecValidator

from hrims.web.core import responses
from hrims.web.openapi.errors import ERRORS
from hrims.web.routes import ROUTES
from tests import PROJECT
from tests.support.documents import read
from tests.web.browsers import Browser, new_browser

OPERATIONS = [route for route in ROUTES if route.is_api]

NOT_OF_OPERATIONS = {405, 417, 500, 501}
"""Statuses of documented errors that belong to no operation: another method, broken HTTP, a defect."""


@pytest.fixture
def document(app: Flask) -> dict[str, Any]:
    """Provide the description, as a client without a token gets it."""
    answer = new_browser(app).get("/api/openapi.json")
    assert answer.mimetype == responses.JSON
    found: dict[str, Any] = answer.get_json()
    return found


def test_it_is_valid(document: dict[str, Any]) -> None:
    OpenAPIV31SpecValidator(document).validate()
    assert document["openapi"] == "3.1.0"


def test_it_has_every_route_of_the_api(document: dict[str, Any]) -> None:
    described = {(method.upper(), url) for url, methods in document["paths"].items() for method in methods}
    assert described == {(route.method, re.sub("<([a-z_]+)>", r"{\1}", route.url)) for route in OPERATIONS}


def test_everything_has_a_description(document: dict[str, Any]) -> None:
    operations = [found for methods in document["paths"].values() for found in methods.values()]
    assert all(found["summary"].endswith(".") for found in operations)
    assert all(schema["description"] for schema in document["components"]["schemas"].values())
    assert all(tag["description"] for tag in document["tags"])
    assert len({found["operationId"] for found in operations}) == len(operations)


def test_errors_are_those_of_the_reference() -> None:
    rows = re.findall(r"^\| (\d{3}) \|", read(PROJECT / "docs/reference/errors.md"), re.MULTILINE)
    documented = {int(status) for status in rows}
    assert documented - NOT_OF_OPERATIONS == ERRORS.keys()


def test_a_field_that_is_always_sent_is_required(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert "success" in schemas["Queued"]["required"]
    assert "deduplicated" not in schemas["Queued"]["required"]


def test_tokens_are_named_where_they_suffice(document: dict[str, Any]) -> None:
    paths = document["paths"]
    assert paths["/api/hrims/fetch-by-institution"]["post"]["security"] == [
        {"token": ["sync"]},
        {"session": []},
    ]
    assert paths["/api/hrims/people/{employee_id}/reveal"]["post"]["security"] == [{"session": []}]
    assert paths["/metrics"]["get"]["security"] == [{"token": []}]
    assert paths["/healthz"]["get"]["security"] == []


def test_a_route_that_asks_for_a_token_may_refuse_it(document: dict[str, Any]) -> None:
    statuses = document["paths"]["/metrics"]["get"]["responses"].keys()
    assert {"401", "429"} <= statuses
    assert "403" not in statuses
    assert not {"401", "429"} & document["paths"]["/healthz"]["get"]["responses"].keys()


def test_its_page_has_every_operation_and_every_link_leads_somewhere(
    officer: Browser, document: dict[str, Any]
) -> None:
    page = officer.get("/dashboard/admin/api").get_data(as_text=True)
    for url, methods in document["paths"].items():
        for method in methods:
            assert f"<b>{method.upper()}</b> {url}" in page
    targets = set(re.findall(r'href="#([^"]+)"', page)) - {"main"}
    assert len(targets) > 80
    assert targets <= set(re.findall(r'id="([^"]+)"', page))
    assert "``" not in page
