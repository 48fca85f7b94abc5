"""One row of the route tables: a URL with its view and the permission that it needs."""

from collections.abc import Callable
from typing import Any, NamedTuple

from hrims.access.permissions import Permission
from hrims.validation import Request
from hrims.web.core import requests


class Route(NamedTuple):
    """A URL, its view, and the permission that it needs; PUBLIC needs no sign-in."""

    method: str
    url: str
    view: Callable[..., Any]
    permission: Permission | None

    @property
    def endpoint(self) -> str:
        """Return the name for ``url_for``: ``queue.index`` of a page, ``api.queue.index`` of the API."""
        module = self.view.__module__.removeprefix("hrims.web.").removeprefix("pages.").removeprefix("core.")
        return f"{module}.{self.view.__name__}"

    @property
    def is_api(self) -> bool:
        """Return whether the response is data, not a page."""
        return self.endpoint.startswith("api.")

    @property
    def body(self) -> type[Request] | None:
        """Return the structure of the JSON body, if the view takes one."""
        return requests.get_body_type(self.view)

    @property
    def query(self) -> type[Request] | None:
        """Return the structure of the query string, if the view takes one."""
        return requests.get_query_type(self.view)
