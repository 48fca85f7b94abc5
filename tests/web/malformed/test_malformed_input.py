"""No malformed form or JSON body of any unsafe route leads to a 500, and none that is refused writes."""

from typing import Final

import pytest

from hrims.access.permissions import ROLES
from hrims.web.core.permissions import PUBLIC
from hrims.web.routes import ROUTES
from tests.web.malformed.campaign import ALERT, Campaign, send
from tests.web.malformed.damage import valid_request
from tests.web.malformed.valid import BODIES, FORMS, fields_of
from tests.web.malformed.world import new_world

UNSAFE: Final = [route for route in ROUTES if route.method != "GET"]

IN_THE_SUITE, ALL = 600, 5_000


def test_every_unsafe_route_has_a_client_and_its_valid_input() -> None:
    """An administrator has every permission, so that each request reaches the parser."""
    assert {route.permission for route in UNSAFE} - {PUBLIC} <= ROLES["administrator"]
    assert {route.endpoint for route in UNSAFE if route.body} == BODIES.keys()
    assert FORMS.keys() <= {route.endpoint for route in UNSAFE}


def test_the_valid_requests_are_accepted(server_dsn: str, template_database: str) -> None:
    """Otherwise their damage says nothing: they would be refused for another reason."""
    refused = {}
    with new_world(server_dsn, template_database) as world:
        for route in filter(fields_of, UNSAFE):
            world.renew()
            answer = send(world, route, valid_request(route))
            if answer.status_code >= 400:
                refused[route.endpoint] = (answer.status_code, ALERT.findall(answer.text) or answer.text)
    assert refused == {}


@pytest.mark.parametrize(
    "count",
    [IN_THE_SUITE, pytest.param(ALL, marks=[pytest.mark.chaos, pytest.mark.timeout(900)])],
)
def test_malformed_input_is_refused_in_form_and_writes_nothing(
    server_dsn: str, template_database: str, count: int, capsys: pytest.CaptureFixture[str]
) -> None:
    campaign = Campaign(UNSAFE, count)
    campaign.run(lambda: new_world(server_dsn, template_database))
    with capsys.disabled():
        print(f"\n{campaign.summary()}")  # noqa: T201 - the figure
    assert campaign.sent == count
    assert campaign.refused > count * 0.6, "most of the input reaches a parser that refuses it"
