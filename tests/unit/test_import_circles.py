"""Modules of the product never import each other in a circle, not even for type checking.

import-linter holds the order of packages; this test also covers the modules within a package.
"""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

import pytest

from tests import PROJECT

PACKAGE = PROJECT / "hrims"

MODULES = {
    ".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in PACKAGE.rglob("*.py")
}


def find_imports(code: str) -> Iterator[str]:
    """Yield the modules that ``code`` imports, inside functions and type-checking blocks too."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in MODULES else node.module for name in names)


def sort(imports: dict[str, set[str]]) -> list[str]:
    """Return the modules, imported ones first. Raises CycleError if there is a circle."""
    return list(TopologicalSorter(imports).static_order())


def test_no_modules_import_each_other_in_a_circle() -> None:
    imports = {name: set(find_imports(path.read_text())) - {name} for name, path in MODULES.items()}
    assert len(imports["hrims.worker"]) > 5, "the imports are found"
    assert len(sort(imports)) == len(MODULES)


def test_a_circle_is_found() -> None:
    code = "if TYPE_CHECKING:\n    from hrims.runs import store"
    with pytest.raises(CycleError):
        sort({"hrims.runs.store": set(find_imports("import hrims.db")), "hrims.db": set(find_imports(code))})
