"""The modules that are mutated, while they are imported and while a mutant lives.

Input: their names, and a mutant. Output: the tests that reach each statement, and the changed functions.
"""

import ast
import contextlib
import copy
import importlib
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, Final

from tests.mutation.mutants import FUNCTIONS, Mutant

REACH: Final = "__reach__"
"""The name of the function that each statement calls first, with its place."""

Function = ast.FunctionDef | ast.AsyncFunctionDef

Place = tuple[str, int]
"""A statement: the name of its module, and its line."""


class Recorder(MetaPathFinder):
    """Imports modules so that each of their statements records that it was reached."""

    def __init__(self, paths: dict[str, Path]) -> None:
        """Take the modules to record, by their names."""
        self._paths = paths
        self.reached = set[Place]()

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how to import the module, if it is one to record."""
        if name not in self._paths:
            return None
        loader = _Loader(name, str(self._paths[name]), self)
        return importlib.util.spec_from_file_location(name, self._paths[name], loader=loader)


class _Loader(SourceFileLoader):
    def __init__(self, name: str, path: str, recorder: Recorder) -> None:
        super().__init__(name, path)
        self._recorder = recorder

    def get_code(self, fullname: str) -> CodeType:
        tree = ast.parse(Path(self.path).read_text(), self.path)
        for function in ast.walk(tree):
            if isinstance(function, FUNCTIONS):
                _record(function, fullname)
        return compile(ast.fix_missing_locations(tree), self.path, "exec")

    def exec_module(self, module: ModuleType) -> None:
        vars(module)[REACH] = self._recorder.reached.add
        super().exec_module(module)


def _record(node: ast.AST, module: str) -> None:
    """Let every statement in a function record itself, except for those of functions in it."""
    for field in ("body", "orelse", "finalbody", "handlers"):
        statements = getattr(node, field, None)
        if not isinstance(statements, list):
            continue
        recorded = []
        for statement in statements:
            if not isinstance(statement, FUNCTIONS):
                _record(statement, module)
            if isinstance(statement, ast.stmt):
                recorded.append(ast.parse(f"{REACH}(({module!r}, {statement.lineno}))").body[0])
            recorded.append(statement)
        setattr(node, field, recorded)


class ImportFailedError(Exception):
    """The mutated module cannot be imported."""


def insert(name: str, tree: ast.Module, mutant: Mutant) -> None:
    """Put a mutant into the imported module ``name``, whose syntax tree is ``tree``."""
    mutant.apply()
    module = importlib.import_module(name)
    classes = [node for node in mutant.scope if isinstance(node, ast.ClassDef)]
    functions = [node for node in mutant.scope if isinstance(node, FUNCTIONS)]
    if functions:
        qualname = ".".join(node.name for node in (*classes, functions[0]))
        code = compile(ast.fix_missing_locations(tree), module.__file__ or name, "exec")
        function = _function(module, qualname)
        function.__code__ = next(found for found in _codes(code) if found.co_qualname == qualname)
        _set_defaults(function, functions[0], module)
        _set_constants(module, tree, functions[0])
    elif classes:
        _set_class_value(getattr(module, classes[0].name), mutant.scope[-1], module)
    else:
        _set_constants(module, tree, mutant.scope[-1])


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


def _function(module: ModuleType, qualname: str) -> FunctionType:
    found: Any = module
    for name in qualname.split("."):
        found = vars(found)[name]
    if isinstance(found, property):
        found = found.fget
    while hasattr(found, "__wrapped__") or isinstance(found, classmethod | staticmethod):
        found = found.__wrapped__
    assert isinstance(found, FunctionType), qualname
    return found


def _set_defaults(function: FunctionType, node: Function, module: ModuleType) -> None:
    params = node.args
    function.__defaults__ = tuple(_value(default, module) for default in params.defaults) or None
    function.__kwdefaults__ = {
        argument.arg: _value(default, module)
        for argument, default in zip(params.kwonlyargs, params.kw_defaults, strict=True)
        if default
    }


def _set_class_value(owner: type, statement: ast.stmt, module: ModuleType) -> None:
    """Set a class variable, or the default of a field of a named tuple or data class."""
    [(name, value)] = _assigned(statement, module).items()
    made: Any = owner.__new__ if issubclass(owner, tuple) else owner.__init__
    code = getattr(made, "__code__", None)
    if code and made.__defaults__ and name in (names := code.co_varnames[: code.co_argcount]):
        defaults = list(made.__defaults__)
        defaults[names.index(name) - len(names)] = value
        made.__defaults__ = tuple(defaults)
    else:
        setattr(owner, name, value)


def _set_constants(module: ModuleType, tree: ast.Module, changed: ast.stmt) -> None:
    """Set what was computed with the changed statement at the import: constants, wherever they were imported,
    and defaults.
    """
    names = {changed.name} if isinstance(changed, FUNCTIONS) else set[str]()
    for statement in [*tree.body, *tree.body]:
        if isinstance(statement, FUNCTIONS) and names & _names(statement):
            names.add(statement.name)
    for statement in tree.body:
        is_constant = isinstance(statement, ast.Assign | ast.AnnAssign)
        if is_constant and (statement is changed or names & _names(statement)):
            for name, value in _assigned(statement, module).items():
                names.add(name)
                _replace(vars(module)[name], name, value)
    for node in ast.walk(tree):
        if isinstance(node, FUNCTIONS) and names & _names(node.args):
            for qualname in _qualnames(tree, node):
                _set_defaults(_function(module, qualname), node, module)


def _replace(old: object, name: str, new: object) -> None:
    for module in list(sys.modules.values()):
        with contextlib.suppress(TypeError):
            if module.__name__.startswith(("hrims", "tests")) and vars(module).get(name) is old:
                setattr(module, name, new)


def _qualnames(tree: ast.Module, function: Function) -> Iterator[str]:
    for node in tree.body:
        if node is function:
            yield function.name
        elif isinstance(node, ast.ClassDef) and function in node.body:
            yield f"{node.name}.{function.name}"


def _assigned(statement: ast.stmt, module: ModuleType) -> dict[str, Any]:
    """Return the names that a statement assigns, each with its value. Raises ImportFailedError."""
    assert isinstance(statement, ast.Assign | ast.AnnAssign), ast.unparse(statement)
    assert statement.value
    target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
    try:
        value = _value(statement.value, module)
        if isinstance(target, ast.Tuple):
            return dict(zip(map(ast.unparse, target.elts), value, strict=True))
    except Exception as error:
        raise ImportFailedError from error
    return {ast.unparse(target): value}


def _names(node: ast.AST) -> set[str]:
    return {found.id for found in ast.walk(node) if isinstance(found, ast.Name)}


def _value(node: ast.expr, module: ModuleType) -> Any:
    expression = ast.fix_missing_locations(ast.Expression(copy.deepcopy(node)))
    return eval(compile(expression, module.__name__, "eval"), vars(module))  # noqa: S307 - our own code
