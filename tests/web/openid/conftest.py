"""A running OpenID provider, and a web application whose users sign in with it."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from hrims.audit import refusals
from tests import PROJECT
from tests.support.served import free_port
from tests.web.openid.provider import ASHA, Provider, settings_of


@pytest.fixture(scope="package")
def process() -> Iterator[Provider]:
    """Provide the running provider."""
    port = free_port()
    command = [sys.executable, "-m", "tests.support.openid_provider", str(port)]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        assert running.stdout.readline() == "ready\n"
        provider = Provider(port)
        yield provider
        provider.client.close()
        running.terminate()


@pytest.fixture
def provider(process: Provider) -> Provider:
    """Provide the provider without a fault, where asha signs in."""
    process.control(user=ASHA)
    return process


@pytest.fixture(autouse=True)
def own_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count the refusals of this test alone: all have the same address."""
    monkeypatch.setattr(refusals, "LIMITER", refusals.RefusalLimiter())


@pytest.fixture
def environment(dsn: str, provider: Provider) -> dict[str, str]:
    """Provide the environment of ``app``."""
    return {"DATABASE_URL": dsn, **settings_of(provider)}
