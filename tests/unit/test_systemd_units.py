"""The units of systemd start commands that exist, and restart what hangs."""

from configparser import ConfigParser

from hrims.cli import up
from hrims.config import Settings
from tests import PROJECT
from tests.unit.test_documents import wrong_command

WEB = "gunicorn --config python:hrims.cli.gunicorn_settings"
"""The web process, whose own worker withstands slow clients."""


def service(name: str = "worker") -> dict[str, str]:
    """Return the section of a service, with its keys in lower case."""
    parser = ConfigParser(strict=True, interpolation=None)
    parser.read(PROJECT / f"deploy/systemd/hrims-{name}.service", encoding="utf-8")
    return dict(parser["Service"])


def test_the_web_process_is_the_same_everywhere() -> None:
    found = service("web")
    assert (found["execstart"], found["restart"]) == (f"/opt/hrims/.venv/bin/{WEB}", "always")
    assert f"web: {WEB}\n" in (PROJECT / "Procfile").read_text()
    assert WEB in (PROJECT / "docs/how-to/deploy.md").read_text()
    children = up._children(Settings(base_url="http://127.0.0.1:1"), with_simulator=False)
    [web] = [child for child in children if child.name == "web"]
    assert " ".join(web._command).endswith(f"-m {WEB}")


def test_the_worker_is_started_and_watched() -> None:
    found = service()
    program, _, words = found["execstart"].partition(" ")
    assert program.endswith("/.venv/bin/hrims")
    assert not wrong_command(["hrims", *words.split()])
    assert (found["type"], found["restart"]) == ("notify", "always")
    assert int(found["watchdogsec"]) >= 10


def test_it_has_time_to_stop() -> None:
    assert int(service()["timeoutstopsec"]) > Settings().stop_seconds
