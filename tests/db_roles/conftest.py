"""Fixtures of the tests of roles."""

from collections.abc import Iterator

import pytest

from tests.db_roles.sites import Site


@pytest.fixture
def site(server_dsn: str, request: pytest.FixtureRequest) -> Iterator[Site]:
    made = Site(server_dsn, *getattr(request, "param", ()))
    yield made
    made.drop()
