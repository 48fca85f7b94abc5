"""The paths of an installation, and that one module alone computes them."""

import re
from pathlib import Path

import pytest

from hrims import installation
from hrims.installation import default_state_dir
from tests import PROJECT

OWN_SQL = re.compile(r'Path\(__file__\)\.with_name\("[a-z_]+\.sql"\)')
"""A store's statements are beside it in every installation."""


def test_a_checkout_has_its_files_at_the_top() -> None:
    assert installation.CHECKOUT == installation.ROOT == PROJECT
    assert installation.TEMPLATES.is_dir()
    assert installation.STATIC.is_dir()
    assert installation.MIGRATIONS.is_dir()
    assert installation.DEMO_REGISTER.is_file()
    assert default_state_dir() == PROJECT / ".hrims"


@pytest.mark.parametrize(
    ("xdg_state_home", "expected"),
    [
        ("", "/home/asha/.local/state/hrims-sync"),
        ("/data/state", "/data/state/hrims-sync"),
        ("relative", "/home/asha/.local/state/hrims-sync"),
    ],
)
def test_a_wheel_keeps_its_state_in_the_home_folder(
    monkeypatch: pytest.MonkeyPatch, xdg_state_home: str, expected: str
) -> None:
    monkeypatch.setenv("HOME", "/home/asha")
    monkeypatch.setenv("XDG_STATE_HOME", xdg_state_home)
    assert default_state_dir(checkout=None) == Path(expected)


def test_a_user_without_a_home_folder_gets_an_absolute_path(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    assert default_state_dir(checkout=None) == Path("/.local/state/hrims-sync")


def test_no_other_module_computes_a_path_from_its_own() -> None:
    for path in [PROJECT / "app.py", *(PROJECT / "hrims").rglob("*.py")]:
        if path.name != "installation.py":
            source = path.read_text(encoding="utf-8")
            assert source.count("__file__") == len(OWN_SQL.findall(source)), path
