"""Security and cache headers of every response."""

from flask import Flask, Response, request

from hrims.web.core import static_files
from hrims.web.core.access_log import request_id

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)

SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

ONE_YEAR = 31536000


def prepare(app: Flask, *, https_only: bool) -> None:
    """Add the headers to every response of an app."""

    @app.after_request
    def add_headers(response: Response) -> Response:
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers["X-Request-Id"] = request_id()
        response.headers["Cache-Control"] = _cache_control(response)
        if https_only:
            response.headers["Strict-Transport-Security"] = f"max-age={ONE_YEAR}"
        return response


def _cache_control(response: Response) -> str:
    if request.endpoint != static_files.ENDPOINT or response.status_code >= 400:
        return "no-store"
    is_current = static_files.is_current((request.view_args or {})["filename"], request.args.get("v"))
    return f"public, max-age={ONE_YEAR}, immutable" if is_current else "no-cache"
