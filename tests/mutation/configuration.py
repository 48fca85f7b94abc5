"""What is mutated, and which survivors are explained. Input: two files. Output: their content."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests import PROJECT

MIN_KILLED: Final = 0.92
"""The share of mutants that the tests must kill."""

PACKAGES: Final = ("employees", "jobs", "leavers", "limits", "schedules", "sync")
"""The packages of which every pure module is mutated."""

IMPURE: Final = ("httpx.", "procrastinate.", "psycopg.", "psycopg_pool.", "hrims.db.")


class Survivor(NamedTuple):
    """A mutant that no test can or need notice, and why."""

    path: str
    statement: str
    code: str
    becomes: str
    why: str


def modules() -> list[str]:
    """Return the paths of the modules that are mutated."""
    return list(_settings()["modules"])


def left_out() -> dict[str, str]:
    """Return the pure modules that are not mutated, with the reason."""
    return dict(_settings().get("left_out", {}))


def survivors() -> list[Survivor]:
    """Return the survivors that are explained."""
    found = tomllib.loads(Path(__file__).with_name("survivors.toml").read_text())
    return [
        Survivor(path, one["in"], one["code"], one["becomes"], one["why"])
        for path, all_ in found.items()
        for one in all_
    ]


def pure_modules() -> Iterator[str]:
    """Return the modules of PACKAGES with functions that neither wait nor know a database or HTTP."""
    for package in PACKAGES:
        for path in sorted((PROJECT / "hrims" / package).rglob("*.py")):
            if _is_pure(ast.parse(path.read_text())):
                yield path.relative_to(PROJECT).as_posix()


def _is_pure(tree: ast.Module) -> bool:
    nodes = list(ast.walk(tree))
    imported = {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module:
            imported |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
    is_impure = any(f"{name}.".startswith(IMPURE) for name in imported)
    waits = any(isinstance(node, ast.AsyncFunctionDef | ast.Await) for node in nodes)
    executes = any(isinstance(node, ast.Attribute) and node.attr == "execute" for node in nodes)
    has_functions = any(isinstance(node, ast.FunctionDef) for node in nodes)
    return has_functions and not waits and not executes and not is_impure


def _settings() -> Any:
    return tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["mutation"]
