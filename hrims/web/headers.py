"""What every answer carries: an answer comes in; it goes out with headers that keep browsers careful."""

from flask import Flask, Response, request

from hrims.web import static_files
from hrims.web.errors import request_id

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)

ALWAYS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

A_YEAR = 31536000


def prepare(app: Flask, *, https_only: bool) -> None:
    """Sets an app up to send them."""

    @app.after_request
    def carry(answer: Response) -> Response:
        answer.headers.update(ALWAYS)
        answer.headers["X-Request-Id"] = request_id()
        answer.headers["Cache-Control"] = _how_long(answer)
        if https_only:
            answer.headers["Strict-Transport-Security"] = f"max-age={A_YEAR}"
        return answer


def _how_long(answer: Response) -> str:
    if request.endpoint != static_files.ENDPOINT or answer.status_code >= 400:
        return "no-store"
    current = static_files.is_current((request.view_args or {})["filename"], request.args.get("v"))
    return f"public, max-age={A_YEAR}, immutable" if current else "no-cache"
