"""Released migrations never change. ``python -m tests.support.released 0.1.0`` records those of a release.

Input: the migrations, released.sha256, the versions in CHANGELOG.md and in git's tags. Output: what is wrong.
"""

import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from hrims.installation import CHECKOUT
from hrims.schema import Migration, load_migrations

RECORD = Path(__file__).with_name("released.sha256")
"""A line ``# VERSION`` for each release, and below it SHA-256 and name of each migration that it added."""

TAG = re.compile(r"v(\d+\.\d+\.\d+)")
HEADING = re.compile(r"^## \[?v?(\d+\.\d+\.\d+)", re.MULTILINE)


def find_problems(record: str, files: Sequence[Migration], releases: Iterable[str]) -> list[str]:
    """Compare the migrations with the record. Return what is wrong, in words."""
    recorded = set(re.findall(r"^# (\S+)$", record, re.MULTILINE))
    problems = [
        f"The migrations of {version} are not recorded. Run: python -m tests.support.released {version}"
        for version in sorted(set(releases) - recorded)
    ]
    released = _entries(record)
    for entry, file in zip(released, [*files, *[None] * len(released)], strict=False):
        if file is None or entry != _entry(file):
            problems.append(
                f"{entry.split()[1]} is released: it was changed or removed, or another one stands in its "
                "place. Put it back, and write the change as a new migration with the next number."
            )
            break
    halves = [file.is_after for file in files[len(released) :]]
    if halves != sorted(halves):
        problems.append("Of the migrations since the last release, those of the after half must come last.")
    return problems


def add_release(record: str, version: str, files: Sequence[Migration]) -> str:
    """Return the record with a release and the migrations that it adds."""
    added = [_entry(file) for file in files[len(_entries(record)) :]]
    return record + "".join(f"{line}\n" for line in (f"# {version}", *added))


def find_releases(folder: Path) -> set[str]:
    """Return the released versions: each has a heading in the changelog or a tag."""
    versions = set(HEADING.findall((folder / "CHANGELOG.md").read_text(encoding="utf-8")))
    if (folder / ".git").exists():
        tags = subprocess.run(["git", "tag"], cwd=folder, capture_output=True, text=True, check=True).stdout
        versions |= {tag[1] for line in tags.splitlines() if (tag := TAG.fullmatch(line))}
    return versions


def read_record() -> str:
    """Return the record, which is empty before the first release."""
    return RECORD.read_text(encoding="utf-8") if RECORD.exists() else ""


def _entries(record: str) -> list[str]:
    return [line for line in record.splitlines() if line and not line.startswith("#")]


def _entry(file: Migration) -> str:
    return f"{file.sha256}  {file.name}"


if __name__ == "__main__":
    assert CHECKOUT
    RECORD.write_text(add_release(read_record(), sys.argv[1], load_migrations()), encoding="utf-8")
