"""Settings: what is refused, in which words, and that secrets stay out of sight."""

from pathlib import Path

import pytest

from hrims.config import VARIABLES, load
from hrims.errors import ConfigError
from tests.support.encryption import KEY


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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "1e3"),
        ("PORT", "+80"),
        ("PORT", "8_0"),
        ("PORT", "9" * 5000),
        ("HRIMS_READ_TIMEOUT", "nan"),
        ("HRIMS_READ_TIMEOUT", "inf"),
        ("HRIMS_READ_TIMEOUT", "1e400"),
        ("HRIMS_HTTPS_ONLY", "maybe"),
        ("HRIMS_TIME_ZONE", "Mars"),
        ("HRIMS_POOL", "Health"),
        ("HRIMS_LOG_LEVEL", "loud"),
    ],
)
def test_a_value_outside_its_type_is_refused(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} is wrong: .* is not valid; give .* Nothing was started"):
        load({name: value})


def test_values_are_read_by_their_types() -> None:
    settings = load(
        {"PORT": "080", "HRIMS_READ_TIMEOUT": "2.5", "HRIMS_HTTPS_ONLY": "Yes", "HRIMS_LOG_LEVEL": "DEBUG"}
    )
    assert (settings.port, settings.read_timeout, settings.https_only) == (80, 2.5, True)
    assert settings.log_level == "debug"


def test_all_wrong_settings_are_named_at_once() -> None:
    with pytest.raises(ConfigError) as refused:
        load({"PORT": "x", "HRIMS_ATTEMPTS": "0", "HRIMS_TOKEN_FILE": "/nowhere", "HRIMS_NEW": "1"})
    lines = str(refused.value).splitlines()
    assert lines == [
        "There is no setting HRIMS_NEW; docs/reference/settings.md lists all.",
        "PORT is wrong: 'x' is not valid; give a whole number from 1 to 65535.",
        "HRIMS_TOKEN_FILE cannot be read (FileNotFoundError).",
        "HRIMS_ATTEMPTS is wrong: '0' is not valid; give a whole number from 1 to 50. Nothing was started.",
    ]


@pytest.mark.parametrize(
    ("name", "similar"),
    [
        ("HRIMS_CONCURENCY", "HRIMS_CONCURRENCY"),
        ("HRIMS_CONCURRENCY_FILE", "HRIMS_CONCURRENCY"),
        ("HRIMS_TOKEN_FIL", "HRIMS_TOKEN_FILE"),
        ("HRIMS_PORT", "PORT"),
    ],
)
def test_an_unknown_variable_is_refused_with_the_one_that_is_meant(name: str, similar: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load({name: "7"})
    assert str(refused.value) == f"There is no setting {name}; did you mean {similar}? Nothing was started."


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HRIMS_PARENT_FD", "3"),
        ("HRIMS_TEST_POSTGRES", "yes"),
        ("HRIMS_CHAOS_SEED", "7"),
        ("HRIMS_CHROMIUM", "/usr/bin/chromium"),
        ("HRIMS_SERVICE_HOST", "10.0.0.7"),
        ("HRIMS_SYNC_SERVICE_PORT_HTTP", "80"),
        ("HRIMS_PORT", "tcp://10.0.0.7:80"),
        ("HRIMS_SYNC_PORT_80_TCP_ADDR", "10.0.0.7"),
        ("OTHER", "x"),
        ("hrims_attempts", "x"),
    ],
)
def test_a_variable_of_others_is_left_alone(name: str, value: str) -> None:
    assert load({name: value}) == load({})


def test_secrets_show_neither_in_repr_nor_in_errors() -> None:
    settings = load({"HRIMS_TOKEN": "s3cret", "DATABASE_URL": "postgresql://u:s3cret@h/d"})
    assert "s3cret" not in repr(settings)
    with pytest.raises(ConfigError) as refused:
        load({"DATABASE_URL": "mysql:s3cret"})
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("address", ["mysql://hrims", "mysql://u:s3cret@h/d", "jdbc:postgresql://h/d"])
def test_the_address_of_another_database_is_refused_as_such(address: str) -> None:
    with pytest.raises(ConfigError, match=r"give an address like postgresql://.*other databases do not work"):
        load({"DATABASE_URL": address})


def test_an_address_that_holds_a_password_is_not_repeated() -> None:
    with pytest.raises(ConfigError, match="credentials go into") as refused:
        load({"HRIMS_BASE_URL": "http://user:s3cret@hrims.example"})
    assert "s3cret" not in str(refused.value)


def test_no_secret_is_repeated_whatever_is_wrong_with_it() -> None:
    secrets = [item.name for item in VARIABLES if item.is_secret]
    assert {*secrets} >= {"DATABASE_URL", "HRIMS_TOKEN", "HRIMS_METRICS_TOKEN"}
    wrong = {name: f"mysql://s3cret\u2100give{name}" for name in secrets} | {
        "PORT": "x",
        "SECRET_KEY": "s3cret",
    }
    with pytest.raises(ConfigError) as refused:
        load(wrong)
    assert "SECRET_KEY is wrong: its value is not valid" in str(refused.value)
    assert "s3cret" not in str(refused.value)
    given = dict.fromkeys(secrets, "postgresql://s3cret@h/d") | {"HRIMS_ENCRYPTION_KEY": KEY}
    shown = repr(load(given))
    assert "s3cret" not in shown
    assert KEY not in shown
    assert "port=9002" in shown


def test_a_secret_key_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least 16 characters"):
        load({"SECRET_KEY": "x"})
