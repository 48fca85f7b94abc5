"""The description of this API, in OpenAPI 3.1."""

from typing import Annotated

from flask import Response

from hrims.web import openapi
from hrims.web.core.responses import JSON, Stream


def show() -> Annotated[Response, Stream(JSON)]:
    """Return this description."""
    return Response(openapi.encoded(), content_type=JSON)
