"""Settings: what is refused, in which words, and that secrets stay out of sight."""

from pathlib import Path

import pytest

from hrims.config import load
from hrims.errors import ConfigError


def test_it_works_with_nothing_set() -> None:
    settings = load({})
    assert settings.port == 9002
    assert settings.database_url is None


def test_a_secret_comes_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret\n")
    assert load({"HRIMS_TOKEN_FILE": str(tmp_path / "token")}).token == "s3cret"


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="HRIMS_TOKEN and HRIMS_TOKEN_FILE are both set"):
        load({"HRIMS_TOKEN": "a", "HRIMS_TOKEN_FILE": str(tmp_path)})


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("PORT", "abc", "whole number from 1 to 65535"),
        ("PORT", "70000", "whole number from 1 to 65535"),
        ("HRIMS_BASE_URL", "hrims.example", "give an address like"),
        ("HRIMS_BASE_URL", "http://u:p@hrims.example", "credentials go into HRIMS_API_KEY"),
        ("HRIMS_READ_TIMEOUT", "soon", "HRIMS_READ_TIMEOUT"),
        ("HRIMS_LOG_FORMAT", "xml", "text, json"),
        ("HRIMS_SILENT_SECONDS", "6", "at least twice"),
        ("HRIMS_HOSTS", "https://hrims.example", "without port, separated by commas"),
        ("HRIMS_HOSTS", "hrims.example:443", "without port, separated by commas"),
        ("HRIMS_HOSTS", "hrims.example,,b", "without port, separated by commas"),
        ("HRIMS_MAX_STREAMS", "32", "below HRIMS_WEB_THREADS"),
    ],
)
def test_a_wrong_value_is_refused_with_a_hint(name: str, value: str, hint: str) -> None:
    with pytest.raises(ConfigError, match=hint):
        load({name: value})


def test_secrets_show_neither_in_repr_nor_in_errors() -> None:
    settings = load({"HRIMS_TOKEN": "s3cret", "DATABASE_URL": "postgresql://u:s3cret@h/d"})
    assert "s3cret" not in repr(settings)
    with pytest.raises(ConfigError) as refused:
        load({"DATABASE_URL": "mysql:s3cret"})
    assert "s3cret" not in str(refused.value)


def test_an_address_that_holds_a_password_is_not_repeated() -> None:
    with pytest.raises(ConfigError, match="credentials go into") as refused:
        load({"HRIMS_BASE_URL": "http://user:s3cret@hrims.example"})
    assert "s3cret" not in str(refused.value)


def test_a_secret_key_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least 16 characters"):
        load({"SECRET_KEY": "x"})
