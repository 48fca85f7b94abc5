"""The sign-in with an OpenID provider: the redirect to it, and the return of the user with an answer."""

import time
from http import HTTPStatus
from typing import Any

from flask import abort, current_app, redirect, request, session

from hrims.access import openid
from hrims.access.openid import OpenIdRefused, Pending, Provider, ProviderFailed
from hrims.web.core import cookies, guard
from hrims.web.core.actions import see_other
from hrims.web.core.app_state import pool, settings
from hrims.web.core.queries import NextQuery
from hrims.web.core.sign_in_checks import current
from hrims.web.pages import sign_in

EXTENSION = "hrims.openid"

COOKIE_KEY = "openid"
"""The key in the browser's signed cookie for a sign-in that has begun."""


def begin(query: NextQuery) -> Any:
    """Redirect the browser to the provider's sign-in page."""
    return _begin(query.next, None)


def begin_confirmation(query: NextQuery) -> Any:
    """Redirect a signed-in user to the provider. Without one in the settings, ask for the password."""
    if not settings().oidc_issuer:
        return see_other("confirm.show", next=query.next)
    return _begin(query.next, current().session_id)


def finish() -> Any:
    """Handle the return from the provider: start a session or confirm the present one, and redirect."""
    provider, pending, now = _provider(), _take_pending(), time.time()
    answer = request.args.to_dict()
    next_ = guard.local_path(pending.next if pending else None)
    if pending and pending.session_id is not None and guard.signed_in():
        openid.confirm(pool(), provider, pending, answer, current(), cookies.visit(), now)
        return redirect(next_, code=HTTPStatus.SEE_OTHER)
    try:
        result = openid.finish(pool(), provider, pending, answer, cookies.visit(), now)
    except (OpenIdRefused, ProviderFailed) as refused:
        return sign_in.show_refusal(refused, next_)
    return sign_in.start_session(result, next_)


def _begin(next_: str, session_id: int | None) -> Any:
    provider = _provider()
    try:
        url, pending = openid.begin(provider, next_, time.time(), session_id)
    except ProviderFailed as refused:
        if session_id is not None:
            raise
        return sign_in.show_refusal(refused, next_)
    session[COOKIE_KEY] = list(pending)
    return redirect(url, code=HTTPStatus.SEE_OTHER)


def _take_pending() -> Pending | None:
    kept = session.pop(COOKIE_KEY, None)
    try:
        return Pending(*kept) if kept else None
    except TypeError:
        return None


def _provider() -> Provider:
    if not settings().oidc_issuer:
        abort(HTTPStatus.NOT_FOUND)
    provider: Provider | None = current_app.extensions.get(EXTENSION)
    if provider is None or provider.settings != settings():
        provider = current_app.extensions[EXTENSION] = Provider(settings())
    return provider
