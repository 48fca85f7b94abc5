"""All routes with their permissions. Input: an app. Output: its endpoints and their guard.

``page_routes`` and ``api_routes`` are the only places that state a permission.
"""

from flask import Flask

from hrims.web import openapi
from hrims.web.api_routes import API_ROUTES
from hrims.web.core import guard, permissions, requests, responses, sign_in_checks
from hrims.web.page_routes import PAGE_ROUTES

ROUTES = PAGE_ROUTES + API_ROUTES


def register(app: Flask) -> None:
    """Add every route to an app, and the guard that checks its permission."""
    for route in ROUTES:
        view = requests.pass_input(route.view)
        if route.is_api:
            view = responses.send(view)
        app.add_url_rule(route.url, route.endpoint, view, methods=[route.method])
    openapi.attach(app, ROUTES)
    permissions.attach(app, {route.endpoint: route.permission for route in ROUTES})
    app.before_request(guard.authorize)
    app.before_request(sign_in_checks.check_password_change)
    app.before_request(sign_in_checks.check_recent_sign_in)
