"""From 0.1.0 on, applied files never change."""

import subprocess
from pathlib import Path

import pytest

from hrims.installation import CHECKOUT
from hrims.schema import Migration, load_migrations
from tests.support import released

FIRST, SECOND, THIRD = (Migration(f"000{n}_add.sql", f"SELECT {n}") for n in (1, 2, 3))
DROP = Migration("0004_drop.after.sql", "SELECT 4", is_after=True)
LATE = Migration("0005_add.sql", "SELECT 5")

RECORD = released.add_release(released.add_release("", "0.1.0", [FIRST]), "0.2.0", [FIRST, SECOND])


def git(folder: Path, *arguments: str) -> None:
    """Run git in a folder."""
    subprocess.run(["git", *arguments], cwd=folder, check=True)


def test_the_released_migrations_of_this_checkout_are_as_they_were() -> None:
    assert CHECKOUT
    releases = released.find_releases(CHECKOUT)
    assert released.find_problems(released.read_record(), load_migrations(), releases) == []


def test_the_record_gets_each_migration_once_with_the_release_that_added_it() -> None:
    lines = RECORD.splitlines()
    assert [line.split()[-1] for line in lines] == ["0.1.0", "0001_add.sql", "0.2.0", "0002_add.sql"]
    assert lines[1].split()[0] == FIRST.sha256


@pytest.mark.parametrize(
    ("files", "name"),
    [
        pytest.param([FIRST, Migration(SECOND.name, "SELECT 0")], "0002_add.sql", id="changed"),
        pytest.param([FIRST, THIRD], "0002_add.sql", id="renamed"),
        pytest.param([FIRST], "0002_add.sql", id="removed"),
        pytest.param([Migration("0000_add.sql", ""), FIRST, SECOND], "0001_add.sql", id="preceded"),
    ],
)
def test_a_released_migration_that_changes_is_a_problem(files: list[Migration], name: str) -> None:
    [problem] = released.find_problems(RECORD, files, ["0.1.0", "0.2.0"])
    assert problem.startswith(f"{name} is released")


def test_a_migration_that_no_release_has_may_change() -> None:
    assert released.find_problems(RECORD, [FIRST, SECOND, THIRD, DROP], ["0.1.0", "0.2.0"]) == []


def test_a_release_cannot_be_made_without_its_record() -> None:
    assert released.find_problems(RECORD, [FIRST, SECOND], ["0.2.0", "0.3.0"]) == [
        "The migrations of 0.3.0 are not recorded. Run: python -m tests.support.released 0.3.0"
    ]


def test_the_after_half_of_a_release_comes_last() -> None:
    [problem] = released.find_problems(RECORD, [FIRST, SECOND, DROP, LATE], ["0.2.0"])
    assert problem.endswith("those of the after half must come last.")
    published = released.add_release(RECORD, "0.3.0", [FIRST, SECOND, DROP])
    assert released.find_problems(published, [FIRST, SECOND, DROP, LATE], ["0.3.0"]) == []


@pytest.mark.parametrize("heading", ["## 0.1.0", "## [0.1.0] - 2027-01-01", "## v0.1.0"])
def test_a_heading_of_the_changelog_makes_a_release(tmp_path: Path, heading: str) -> None:
    (tmp_path / "CHANGELOG.md").write_text(f"# Changelog\n\n## Unreleased\n\n{heading}\n\n### Added\n")
    assert released.find_releases(tmp_path) == {"0.1.0"}


def test_a_tag_makes_a_release(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## Unreleased\n")
    assert released.find_releases(tmp_path) == set()
    git(tmp_path, "add", ".")
    git(tmp_path, "-c", "user.name=a", "-c", "user.email=a@b.example", "commit", "-qm", "x")
    git(tmp_path, "tag", "v0.1.0")
    assert released.find_releases(tmp_path) == {"0.1.0"}
