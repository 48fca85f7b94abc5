"""Log lines: text or JSON, of the standard library and structlog alike, and never with a secret."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from hrims import config, log

SECRETS = {
    "HRIMS_API_KEY": "key-of-a-test",
    "HRIMS_TOKEN": 'token "of" a test äö',
    "SECRET_KEY": "signing-key-of-a-test",
    "DATABASE_URL": "postgresql://u:database%40test@db.example/x",
}
PLAIN = ["key-of-a-test", 'token "of" a test äö', "signing-key-of-a-test", "database@test", "database%40test"]


@pytest.fixture(autouse=True)
def _root_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers = handlers
    root.setLevel(level)


def logged(log_format: str, capsys: pytest.CaptureFixture[str], words: str) -> str:
    """What a line with these words, logged with its exception, becomes."""
    log.configure(config.load({**SECRETS, "HRIMS_LOG_FORMAT": log_format}))
    logging.getLogger("a.library").error("it said %s", words, exc_info=ValueError(words))
    return capsys.readouterr().err


@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.parametrize("secret", PLAIN)
def test_no_secret_passes(log_format: str, secret: str, capsys: pytest.CaptureFixture[str]) -> None:
    line = logged(log_format, capsys, f"before {secret} after")
    assert secret not in line
    assert json.dumps(secret)[1:-1] not in line
    assert f"before {log.MASK} after" in line


def test_a_line_of_json_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    event = json.loads(logged("json", capsys, "words"))
    assert (event["event"], event["level"], event["logger"]) == ("it said words", "error", "a.library")
    assert event["timestamp"].endswith("Z")
    assert structlog.is_configured() is False, "the standard library is the one door"
