"""What a simulator is started with: command-line arguments in, Options out."""

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DEMO_REGISTER = Path(__file__).with_name("institutions.csv")
"""The register of the demo: the names are public bodies, codes and TINs are invented."""

DEMO = {"latency_ms": 150, "jitter_ms": 60, "failure_rate": 0.03}
"""Gentle enough for a person to watch, with a failure now and then."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """``sizes`` are people by vote code or TIN, untouched by ``scale``; an empty ``api_key`` or
    ``token`` accepts any; ``behaviour`` is what ``PUT /_control`` takes."""

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
    """Options from arguments; prints what is wrong and exits 2 where they do not do."""
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
    parser = argparse.ArgumentParser(prog="hrims simulate", description=__doc__)
    add = parser.add_argument
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=0, help="0 takes any free port; the ready line tells which")
    add("--seed", type=int, default=1, help="another seed, other people")
    add("--register", type=_file, default=DEMO_REGISTER, help="CSV with name, vote_code, tin")
    add("--scale", type=_share, default=1.0, help="shrinks every institution, 0.1 to a tenth")
    add("--size", type=_size, action="append", default=[], metavar="037=500")
    add("--api-key", default="", help="the ApiKey header to insist on; empty accepts any")
    add("--token", default="", help="the Token header to insist on; empty accepts any")
    add("--demo", action="store_true", help="about 150 ms a page and a few failures")
    add("--latency-ms", type=float)
    add("--jitter-ms", type=float)
    add("--failure-rate", type=float)
    add("--behaviour", type=_object, default={}, metavar="JSON", help="as PUT /_control takes it")
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
