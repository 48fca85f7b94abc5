"""The version and the commit: found where they are, and never a reason to fail."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from hrims import version
from tests import PROJECT


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a repository with one commit."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "file").write_text("first\n")
    git(folder, "init", "-q")
    git(folder, "add", "file")
    git(
        folder,
        "-c",
        "user.name=Asha",
        "-c",
        "user.email=asha@example.invalid",
        "commit",
        "-q",
        "-m",
        "Add file",
    )
    return folder


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=folder, capture_output=True, text=True, check=True
    ).stdout.strip()


def test_the_commit_is_abbreviated_and_says_whether_files_were_changed(repository: Path) -> None:
    commit = git(repository, "rev-parse", "HEAD")[:7]
    git(repository, "tag", "v9.9.9")
    assert version.commit_of(repository) == commit
    (repository / "file").write_text("second\n")
    assert version.commit_of(repository) == f"{commit}-dirty"


def test_another_repository_is_not_mistaken_for_its_own(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpacked = repository / "hrims-sync"
    unpacked.mkdir()
    assert version.commit_of(unpacked) is None
    monkeypatch.setenv("GIT_DIR", str(PROJECT / ".git"))
    assert version.commit_of(repository) == git(repository, "--git-dir=.git", "rev-parse", "HEAD")[:7]


def test_git_that_fails_or_is_missing_leaves_the_commit_out(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(version, "CHECKOUT", repository)
    shutil.rmtree(repository / ".git" / "objects")
    assert version.describe() == version.VERSION
    monkeypatch.setenv("PATH", str(tmp_path))
    assert version.describe() == version.VERSION


def test_a_wheel_reads_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(version, "CHECKOUT", None)
    monkeypatch.setattr(version, "COMMIT_FILE", tmp_path / "commit.txt")
    assert version.describe() == version.VERSION
    (tmp_path / "commit.txt").write_text("abc1234\n")
    assert version.describe() == f"{version.VERSION} (commit abc1234)"


def test_the_version_is_stated_once() -> None:
    stated = re.compile(rf"(?<![=\d.]){re.escape(version.VERSION)}(?![\d.])")
    files = [PROJECT / "pyproject.toml", PROJECT / "app.py", *(PROJECT / "hrims").rglob("*.py")]
    found = [path.name for path in files if stated.search(path.read_text(encoding="utf-8"))]
    assert found == ["version.py"]
