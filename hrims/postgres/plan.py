"""The plan of a server: its location, its programs and its settings, as the guard gets them."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from hrims.errors import DatabaseUnusable
from hrims.postgres.account import Account
from hrims.postgres.binaries import find_binaries, make_runnable
from hrims.postgres.place import Place, socket_folder


@dataclass(frozen=True)
class Plan:
    """All that is known before a server starts. The guard gets it as JSON."""

    place: Place
    start_lock: Path
    socket_dir: Path
    binaries: Path
    version: int
    fsync: bool = True
    settings: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        return json.dumps(asdict(self), default=str)

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        raw = json.loads(text)
        account = raw["place"]["account"]
        place = Place(Path(raw["place"]["home"]), Account(**account) if account else None)
        paths = {key: Path(raw[key]) for key in ("start_lock", "socket_dir", "binaries")}
        return cls(**{**raw, **paths, "place": place})


def make_plan(place: Place, start_lock: Path, *, fsync: bool, settings: Mapping[str, str]) -> Plan:
    """Find the programs and check that they fit the data.

    Raises DatabaseUnusable if there are none or they do not fit.
    """
    binaries, version = make_runnable(find_binaries(), place.account, place.home / "binaries")
    _must_fit(place.data, version)
    folder = socket_folder(place)
    return Plan(place, start_lock, folder, binaries, version, fsync, dict(settings))


def _must_fit(data: Path, version: int) -> None:
    if not data.exists():
        return
    try:
        found = (data / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        raise DatabaseUnusable(
            f"{data} is not a PostgreSQL data directory, or a damaged one. Nothing was started or "
            "changed. Move it away to begin with an empty database, or restore it from a backup."
        ) from None
    if found != str(version):
        raise DatabaseUnusable(
            f"The data in {data} was written by PostgreSQL {found}, and this is PostgreSQL "
            f"{version}. Nothing was started or changed. Dump it with version {found} and load it "
            f"into a new one, install version {found} again, or set DATABASE_URL."
        )
