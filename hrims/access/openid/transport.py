"""HTTP requests to an OpenID provider. Input: a URL. Output: a JSON object, or ProviderFailed."""

import json
import ssl
from collections.abc import Mapping
from typing import Any, Final

import httpx

from hrims.access.openid.errors import ProviderFailed

TIMEOUT: Final = 5.0
"""Seconds for a connection, and for each read. A sign-in occupies a thread of the web process meanwhile."""

MAX_BYTES: Final = 1024 * 1024
"""Maximum size of an answer."""


def get_json(url: str, token: str | None = None) -> dict[str, Any]:
    """Return the JSON object at a URL. ``token`` is a bearer token."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return _request("GET", url, headers=headers)


def post_form(url: str, form: Mapping[str, str], auth: tuple[str, str] | None) -> dict[str, Any]:
    """Send a form and return the JSON object of the answer. ``auth`` are the client's name and secret."""
    return _request("POST", url, data=dict(form), auth=auth)


def _request(method: str, url: str, **options: Any) -> dict[str, Any]:
    try:
        with (
            httpx.Client(timeout=TIMEOUT, verify=ssl.create_default_context(), trust_env=False) as client,
            client.stream(method, url, **options) as answer,
        ):
            if answer.status_code != httpx.codes.OK:
                raise ProviderFailed(f"status {answer.status_code}")
            return _parse(_read(answer))
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        raise ProviderFailed(type(error).__name__) from None


def _read(answer: httpx.Response) -> bytes:
    body = b""
    for chunk in answer.iter_bytes():
        body += chunk
        if len(body) > MAX_BYTES:
            raise ProviderFailed("answer too large")
    return body


def _parse(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise ProviderFailed("no JSON") from None
    if not isinstance(found, dict):
        raise ProviderFailed("no JSON object")
    return found
