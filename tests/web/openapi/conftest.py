"""The real web process, with its own description of the API."""

from collections.abc import Iterator

import psycopg
import pytest
import schemathesis

from tests.support.databases import clone
from tests.support.served import Served
from tests.web.openapi.site import ENVIRONMENT, Site, sign_in, use_token


@pytest.fixture(scope="module")
def site(server_dsn: str, template_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Provide a web process whose description was read from it, with an administrator's token and session."""
    with clone(server_dsn, template_database) as dsn, psycopg.connect(dsn, autocommit=True) as conn:
        folder = tmp_path_factory.mktemp("web")
        with Served(folder, {**ENVIRONMENT, "DATABASE_URL": dsn}) as served:
            schema = schemathesis.openapi.from_url(f"{served.url}/api/openapi.json")
            statuses = ["400", "404", "405", "409", "413", "414", "422"]
            schema.config.checks.negative_data_rejection.expected_statuses = statuses
            yield Site(served, conn, schema, use_token(conn), sign_in(conn, served.url))
            assert "Traceback" not in served.log.read_text()
