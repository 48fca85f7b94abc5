"""The description of the API in OpenAPI 3.1. Input: the route table. Output: one document.

It is generated from what runs: the URLs and permissions of the route table, the structures that validate
requests, and those that responses are made of.
"""

from hrims.web.openapi.document import attach, document, encoded

__all__ = ["attach", "document", "encoded"]
