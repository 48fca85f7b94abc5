"""The page that describes the API for people who write programs."""

from flask import render_template

from hrims.web import openapi
from hrims.web.openapi import reference


def index() -> str:
    """Show the page."""
    document = openapi.document()
    return render_template(
        "api_reference/index.html",
        paragraphs=document["info"]["description"].split("\n\n"),
        tags={tag["name"]: tag["description"] for tag in document["tags"]},
        resources=reference.list_operations(document),
        structures=reference.list_structures(document),
        errors=document["components"]["responses"],
    )
