"""What a command refuses before it starts or connects to anything, as a person reads it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.command_line import call_refused, keep_logging

SECRET = "hidden-password-of-a-test"

Typed = Callable[..., str]
"""Words of a command and settings in; what it says on standard error out."""


@pytest.fixture
def typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Typed]:
    """Provide a function that runs a command, asserts exit code 1 and returns what it prints."""

    def type_(*arguments: str, **settings: str) -> str:
        for name, value in {"HRIMS_STATE_DIR": str(tmp_path / "state"), **settings}.items():
            monkeypatch.setenv(name, value)
        message = call_refused(arguments, capsys)
        assert message.startswith("hrims: ")
        assert not (tmp_path / "state" / "postgres").exists()
        return message

    with keep_logging():
        yield type_


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("PORT", "http", "PORT is wrong: 'http' is not valid; give a whole number from 1 to 65535."),
        ("HRIMS_BASE_URL", "hrims.example", "HRIMS_BASE_URL is wrong"),
        ("HRIMS_TOKEN_FILE", "/nowhere", "HRIMS_TOKEN_FILE cannot be read"),
        ("HRIMS_STATE_DIR", "/dev/null", "The folder /dev/null cannot be used (File exists)."),
        ("HRIMS_HOST", "nowhere.invalid", "on nowhere.invalid cannot be used"),
    ],
)
def test_a_setting_that_is_wrong(typed: Typed, name: str, value: str, message: str) -> None:
    output = typed("up", **{name: value})
    assert message in output
    assert "Nothing was started" in output


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (f"postgresql://u:{SECRET}@nowhere.invalid/x", "does not answer"),
        (f"postgresql://u:{SECRET}@127.0.0.1:1,127.0.0.1:2/x", "(the last of 2 hosts)"),
        (f"postgresql://u:p@{SECRET}@127.0.0.1/x", "give signs like @ / : in the password as %40"),
        (f"postgresql://u:p/{SECRET}@127.0.0.1/x", "give signs like @ / : in the password as %40"),
        (f"postgresql://u:p%zz{SECRET}@127.0.0.1/x", "DATABASE_URL cannot be read; it is not repeated"),
        (f"host=127.0.0.1 {SECRET}", "DATABASE_URL cannot be read; it is not repeated here"),
        (f"mysql://u:{SECRET}@127.0.0.1/x", "DATABASE_URL is wrong"),
    ],
)
def test_an_invalid_database_url_is_refused(typed: Typed, url: str, message: str) -> None:
    output = typed("migrate", DATABASE_URL=url)
    assert message in output
    assert SECRET not in output
