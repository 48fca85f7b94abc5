"""Bandit reads its configuration, and what it leaves to ruff is checked by ruff."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from tests import PROJECT

CONFIGURATION = PROJECT / "pyproject.toml"
TOOLS = tomllib.loads(CONFIGURATION.read_text(encoding="utf-8"))["tool"]
WITHOUT_TWIN = {"B101", "B404"}
"""Rules that no other tool repeats: asserts, and the import of subprocess."""


def bandit(source: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bandit", "-q", "-c", str(CONFIGURATION), "-r", str(source)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_weak_code_fails(tmp_path: Path) -> None:
    (tmp_path / "weak.py").write_text('import hashlib\n\nSUM = hashlib.md5(b"a").hexdigest()\n')
    done = bandit(tmp_path)
    assert (done.returncode, "B324" in done.stdout) == (1, True)


def test_sound_code_passes(tmp_path: Path) -> None:
    (tmp_path / "sound.py").write_text('import hashlib\n\nSUM = hashlib.sha256(b"a").hexdigest()\n')
    assert bandit(tmp_path).returncode == 0


def test_ruff_checks_what_bandit_leaves_out() -> None:
    lint = TOOLS["ruff"]["lint"]
    twins = {rule.replace("B", "S") for rule in set(TOOLS["bandit"]["skips"]) - WITHOUT_TWIN}
    assert "S" in lint["select"]
    assert twins.isdisjoint(lint["ignore"])
    assert not any(place.startswith(("hrims", "app", "deploy")) for place in lint["per-file-ignores"])


def test_every_exception_has_a_reason() -> None:
    section = CONFIGURATION.read_text(encoding="utf-8").partition("[tool.bandit]")[2].partition("\n[")[0]
    assert len(re.findall(r'^  "B\d{3}", # \w', section, re.MULTILINE)) == len(TOOLS["bandit"]["skips"])
    for path in [PROJECT / "app.py", *(PROJECT / "hrims").rglob("*.py"), *(PROJECT / "deploy").rglob("*.py")]:
        for line in path.read_text(encoding="utf-8").splitlines():
            assert "nosec" not in line or re.search(r"# noqa: S\d+ - \w.+ # nosec B\d{3}$", line), line
