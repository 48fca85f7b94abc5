"""The units of systemd start commands that exist, and restart what hangs."""

from configparser import ConfigParser

from hrims.config import Settings
from tests import PROJECT
from tests.unit.test_documents import wrong_command

UNIT = PROJECT / "deploy/systemd/hrims-worker.service"


def service() -> dict[str, str]:
    """Return the section of the service, with its keys in lower case."""
    parser = ConfigParser(strict=True, interpolation=None)
    parser.read(UNIT, encoding="utf-8")
    return dict(parser["Service"])


def test_the_worker_is_started_and_watched() -> None:
    found = service()
    program, _, words = found["execstart"].partition(" ")
    assert program.endswith("/.venv/bin/hrims")
    assert not wrong_command(["hrims", *words.split()])
    assert (found["type"], found["restart"]) == ("notify", "always")
    assert int(found["watchdogsec"]) >= 10


def test_it_has_time_to_stop() -> None:
    assert int(service()["timeoutstopsec"]) > Settings().stop_seconds
