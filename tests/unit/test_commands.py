"""What a command refuses before it starts or connects to anything, as a person reads it."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hrims.cli import main

SECRET = "hidden-password-of-a-test"

Typed = Callable[..., str]
"""Words of a command and settings in; what it says on standard error out."""


@pytest.fixture
def typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Typed]:
    """Types a command that is to be refused with exit code 1 and to change nothing."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level

    def type_(*words: str, **settings: str) -> str:
        for name, value in {"HRIMS_STATE_DIR": str(tmp_path / "state"), **settings}.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            main(words)
        told = capsys.readouterr()
        assert (ended.value.code, told.out) == (1, "")
        assert told.err.startswith("hrims: ")
        assert not (tmp_path / "state" / "postgres").exists()
        return told.err

    yield type_
    root.handlers = handlers
    root.setLevel(level)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PORT", "http", "PORT is wrong: 'http' does not do; give a whole number from 1 to 65535."),
        ("HRIMS_BASE_URL", "hrims.example", "HRIMS_BASE_URL is wrong"),
        ("HRIMS_TOKEN_FILE", "/nowhere", "HRIMS_TOKEN_FILE cannot be read"),
        ("HRIMS_STATE_DIR", "/dev/null", "The folder /dev/null cannot be used (File exists)."),
        ("HRIMS_HOST", "nowhere.invalid", "on nowhere.invalid cannot be used"),
    ],
)
def test_a_setting_that_is_wrong(typed: Typed, name: str, value: str, words: str) -> None:
    said = typed("up", **{name: value})
    assert words in said
    assert "Nothing was started" in said


@pytest.mark.parametrize(
    ("url", "words"),
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
def test_a_database_url_that_does_not_do(typed: Typed, url: str, words: str) -> None:
    said = typed("migrate", DATABASE_URL=url)
    assert words in said
    assert SECRET not in said
