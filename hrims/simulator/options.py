"""What a simulator is started with: command-line arguments in, Options out."""

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hrims.installation import DEMO_REGISTER

DEMO = {"latency_ms": 150, "jitter_ms": 60, "failure_rate": 0.03}
"""The behaviour of ``--demo``: slow enough for a user to watch, with occasional failures."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """The start options of a simulator.

    ``sizes`` are numbers of people by vote code or TIN, which ``scale`` does not change. An empty ``api_key``
    or ``token`` accepts any value. ``behaviour`` has the fields of ``PUT /_control``.
    """

    host: str = "127.0.0.1"
    port: int = 0
    seed: int = 1
    register: Path = DEMO_REGISTER
    scale: float = 1.0
    sizes: Mapping[str, int] = field(default_factory=dict)
    api_key: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    behaviour: Mapping[str, Any] = field(default_factory=dict)


def parse(argv: list[str]) -> Options:
    """Return the options; if an argument is invalid, print the error and exit with code 2."""
    given = _parser().parse_args(argv)
    behaviour = dict(DEMO) if given.demo else {}
    behaviour |= given.behaviour
    behaviour |= {
        name: getattr(given, name)
        for name in ("latency_ms", "jitter_ms", "failure_rate")
        if getattr(given, name) is not None
    }
    return Options(
        host=given.host,
        port=given.port,
        seed=given.seed,
        register=given.register,
        scale=given.scale,
        sizes=dict(given.size),
        api_key=given.api_key,
        token=given.token,
        behaviour=behaviour,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hrims simulate", description="Run a stand-in HRIMS, until Ctrl-C.")
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on")
    add(
        "--port",
        type=int,
        default=0,
        help="port; 0 takes a free one, and the first line names it",
    )
    add("--seed", type=int, default=1, help="seed of the invented people")
    add("--register", type=_file, default=DEMO_REGISTER, help="CSV with name, vote_code, tin")
    add("--scale", type=_share, default=1.0, help="factor of the size of every institution, like 0.1")
    add(
        "--size", type=_size, action="append", default=[], metavar="037=500", help="people of one institution"
    )
    add("--api-key", default="", help="required ApiKey header; empty accepts any")
    add("--token", default="", help="required Token header; empty accepts any")
    add("--demo", action="store_true", help="about 150 ms a page and a few failures")
    add("--latency-ms", type=float, help="milliseconds that a page takes")
    add("--jitter-ms", type=float, help="milliseconds by which that varies")
    add("--failure-rate", type=float, help="share of the requests that fail, 0 to 1")
    add(
        "--behaviour",
        type=_object,
        default={},
        metavar="JSON",
        help="other behaviour, in the format of PUT /_control",
    )
    return parser


def _size(raw: str) -> tuple[str, int]:
    key, equals, count = raw.partition("=")
    if not (key and equals and count.isdigit()):
        raise argparse.ArgumentTypeError(f"{raw!r}: give a vote code or TIN and people, 037=500")
    return key, int(count)


def _share(raw: str) -> float:
    try:
        value = float(raw)
    except ValueError:
        value = 0.0
    if not 0 < value <= 10:
        raise argparse.ArgumentTypeError(f"{raw!r}: give a number above 0, up to 10")
    return value


def _file(raw: str) -> Path:
    if not Path(raw).is_file():
        raise argparse.ArgumentTypeError(f"{raw}: there is no such file")
    return Path(raw)


def _object(raw: str) -> dict[str, Any]:
    try:
        value = json.loads(raw)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError("give a JSON object, as PUT /_control takes it")
    return value
