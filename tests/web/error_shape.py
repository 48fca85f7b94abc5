"""The error shape of the API, and the URLs at which tests request it."""

from typing import Any

from werkzeug.test import TestResponse

INSTITUTIONS = "/api/hrims/institutions"
HOME = "/dashboard/admin/fetch-data"
FETCH = "/api/hrims/fetch-by-institution"


def check(answer: TestResponse, status: int, code: str) -> dict[str, Any]:
    """Assert that the answer is an error of the API's one shape; return it."""
    assert answer.status_code == status
    assert answer.mimetype == "application/json"
    body: dict[str, Any] = answer.get_json()
    assert sorted(body) == ["code", "message", "requestId", "success"]
    assert (body["success"], body["code"]) == (False, code)
    assert body["requestId"] == answer.headers["X-Request-Id"]
    assert body["message"].endswith(".")
    return body
