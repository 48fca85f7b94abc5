"""The metrics of a worker on its own port: which addresses it serves, and clients that misbehave."""

import socket

import httpx
import pytest

from hrims.config import load
from hrims.monitoring import exposition
from tests.support.served import free_port


def serve(host: str) -> str:
    """Serve metrics without a token. Return the address."""
    port = free_port()
    environment = {"HRIMS_HOST": host, "HRIMS_METRICS_PORT": str(port), "HRIMS_METRICS_OPEN": "yes"}
    assert exposition.serve(load(environment), []) == port
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_it_serves_both_kinds_of_addresses(host: str) -> None:
    assert "hrims_pages_saved_total" in httpx.get(f"{serve(host)}/metrics").text


def test_a_host_whose_name_dns_does_not_know_is_served_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The standard library asks DNS for the name of the host, and DNS may be away."""
    asked: list[str] = []
    monkeypatch.setattr(socket, "getfqdn", asked.append)
    serve("127.0.0.1")
    assert not asked


def test_a_silent_client_is_disconnected(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(exposition, "CLIENT_SECONDS", 0.1)
    address = httpx.URL(serve("127.0.0.1"))
    with socket.create_connection((address.host, address.port or 0), timeout=20) as client:
        assert client.recv(1) == b""
    assert capsys.readouterr().err == ""
