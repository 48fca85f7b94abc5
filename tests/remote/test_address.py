"""Where questions go and by which way, and that credentials go nowhere else."""

from collections.abc import Callable

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from hrims.config import Settings
from hrims.errors import ConfigError, RemoteError
from hrims.remote.client import Remote
from tests.remote.answers import page
from tests.remote.servers import API_KEY, TOKEN, answer

Connect = Callable[..., Remote]


async def test_proxies_of_the_environment_are_not_used(
    httpserver: HTTPServer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    remote = connect(answer(httpserver, page()))
    assert (await remote.all_employees(0, 5)).total == 0


async def test_the_settings_address_is_used_where_no_other_is_given(
    httpserver: HTTPServer,
) -> None:
    async with Remote(Settings(base_url=answer(httpserver, page()))) as remote:
        assert (await remote.all_employees(0, 5)).total == 0


@pytest.mark.parametrize(
    "address",
    ["http://u:p4ss@127.0.0.1", "http://127.0.0.1/api?key=p4ss", "http://127.0.0.1/#p4ss", "p4ss"],
)
def test_an_address_with_more_than_an_address_is_refused(address: str) -> None:
    with pytest.raises(ConfigError, match="HRIMS_BASE_URL") as refused:
        Remote(Settings(), base_url=address)
    assert "p4ss" not in str(refused.value)


def test_no_address_is_refused() -> None:
    with pytest.raises(ConfigError, match="Set HRIMS_BASE_URL"):
        Remote(Settings())


async def test_an_unknown_kind_of_identifier_asks_nothing(httpserver: HTTPServer, connect: Connect) -> None:
    remote = connect(answer(httpserver, page()))
    with pytest.raises(KeyError):
        await remote.page("payroll", "1", 0, 5)
    assert httpserver.log == []


def reflect(request: Request) -> Response:
    """Return a server that says back whatever it hears, wherever it can."""
    heard = f"{request.headers['ApiKey']} {request.headers['Token']}"
    return Response(heard, status=int(request.path.split("/")[1]), headers={"X-Heard": heard})


@pytest.mark.parametrize("status", [200, 302, 400, 401, 404, 500])
async def test_credentials_that_come_back_go_nowhere(
    httpserver: HTTPServer, connect: Connect, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    caplog.set_level("DEBUG")
    httpserver.expect_request(f"/{status}/Employees").respond_with_handler(reflect)
    remote = connect(httpserver.url_for(f"/{status}"))
    with pytest.raises(RemoteError) as failed:
        await remote.all_employees(0, 5)
    seen = f"{failed.value!r} {failed.value} {remote!r} {remote} {caplog.text}"
    assert API_KEY not in seen
    assert TOKEN not in seen
    assert failed.value.__cause__ is None
    assert failed.value.__context__ is None
