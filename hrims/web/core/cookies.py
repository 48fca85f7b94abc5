"""The cookies of a sign-in: session and known device. Input: a request. Output: tokens and cookies."""

from datetime import timedelta

from flask import Response, request

from hrims.access import devices
from hrims.access.sign_in import SignIn, Visit
from hrims.web.core import csrf, guard
from hrims.web.core.app_state import settings

DEVICE_AGE = timedelta(days=devices.COOKIE_DAYS)


def session_token() -> str | None:
    """Return the token of this browser's session; None if it sends none."""
    return request.cookies.get(csrf.session_cookie())


def visit() -> Visit:
    """Return this browser as the sign-in sees it."""
    return Visit(
        settings=settings(),
        address=guard.address(),
        user_agent=request.headers.get("User-Agent"),
        session=session_token(),
        device=request.cookies.get(csrf.device_cookie()),
    )


def set_signed_in(response: Response, result: SignIn) -> None:
    """Set the cookies of a user who has signed in."""
    _set(response, csrf.session_cookie(), result.session)
    _set(response, csrf.device_cookie(), result.device, DEVICE_AGE)


def set_session(response: Response, token: str) -> None:
    """Set the cookie of a session whose token was replaced."""
    _set(response, csrf.session_cookie(), token)


def delete_session(response: Response) -> None:
    """Delete the cookie of the session. The device stays known."""
    response.delete_cookie(
        csrf.session_cookie(), path="/", httponly=True, samesite="Lax", secure=settings().https_only
    )


def _set(response: Response, name: str, value: str, max_age: timedelta | None = None) -> None:
    response.set_cookie(
        name, value, max_age, path="/", httponly=True, samesite="Lax", secure=settings().https_only
    )
