"""Hatchling's build hook: add the files that no pattern of ``pyproject.toml`` can describe.

A wheel has ``app.py`` as ``hrims/app.py``, so that it adds no module ``app`` to an environment. Wheels and
source distributions contain the commit that they were built from in ``hrims/commit.txt``, if it is known.
"""

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BuildHook(BuildHookInterface):
    """The build hook. Hatchling creates one for each wheel or source distribution."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the files. An editable wheel reads the checkout and needs none."""
        if version == "editable":
            return
        if self.target_name == "wheel":
            build_data["force_include"]["app.py"] = "hrims/app.py"
        sys.path.insert(0, self.root)  # with build isolation, the package is not installed
        from hrims.version import commit_of  # noqa: PLC0415 - it can be imported only from here on

        commit = commit_of(Path(self.root))
        if commit:
            self._folder = Path(tempfile.mkdtemp(prefix="hrims-build-"))
            file = self._folder / "commit.txt"
            file.write_text(f"{commit}\n", encoding="utf-8")
            build_data["force_include"][str(file)] = "hrims/commit.txt"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the temporary file."""
        folder = getattr(self, "_folder", None)
        if folder:
            shutil.rmtree(folder, ignore_errors=True)
