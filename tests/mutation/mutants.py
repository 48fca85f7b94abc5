"""Finds the mutants of a module. Input: source. Output: one changed condition, operator or number each.

Texts, annotations, decorators, assertions, log lines and what ``raise`` creates are not changed.

mutmut 3 and cosmic-ray were tried first. mutmut cannot leave texts out, and skips properties, cached
functions and constants. cosmic-ray starts a test process for each of 3,900 mutants, which takes hours.
"""

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
SKIPPED: Final = (ast.Assert, ast.JoinedStr, ast.Raise)
SKIPPED_FIELDS: Final = {"annotation", "returns", "decorator_list"}

COMPARISONS: Final[dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
"""Each comparison with its other boundary and with its opposite."""

OPERATORS: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}

FUNCTION_NAMES: Final = {"min": "max", "max": "min", "any": "all", "all": "any"}


@dataclass(frozen=True, eq=False)
class Mutant:
    """One change of a module's syntax tree."""

    line: int
    code: str
    """The code that is changed."""
    becomes: str
    scope: tuple[ast.stmt, ...]
    """The classes and functions around it, from the outside, and its statement in the innermost of them."""
    parent: ast.AST
    field: str
    index: int | None
    new: ast.AST

    @property
    def statement(self) -> str:
        """Return the first line of its statement."""
        return ast.unparse(self.scope[-1]).partition("\n")[0]

    def apply(self) -> None:
        """Change the syntax tree, for good."""
        if self.index is None:
            setattr(self.parent, self.field, self.new)
        else:
            getattr(self.parent, self.field)[self.index] = self.new


def find_mutants(tree: ast.Module) -> list[Mutant]:
    """Return the mutants of a module, in order."""
    return list(_find(tree, ()))


def _find(parent: ast.AST, scope: tuple[ast.stmt, ...]) -> Iterator[Mutant]:
    for field, value in ast.iter_fields(parent):
        if field in SKIPPED_FIELDS:
            continue
        for index, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if not isinstance(node, ast.AST) or _is_skipped(node):
                continue
            inner = _scope(scope, node)
            for new in (*_replacements(node), *_negations(field, node)):
                ast.fix_missing_locations(ast.copy_location(new, node))
                line, code = getattr(node, "lineno", 0), ast.unparse(node)
                yield Mutant(line, code, ast.unparse(new), inner, parent, field, index, new)
            if not _is_type_check(node):
                yield from _find(node, inner)


def _scope(scope: tuple[ast.stmt, ...], node: ast.AST) -> tuple[ast.stmt, ...]:
    is_open = not scope or isinstance(scope[-1], (ast.ClassDef, *FUNCTIONS))
    if not isinstance(node, ast.stmt):
        return scope
    if is_open:
        return (*scope, node)
    return (*scope[:-1], node)


def _is_skipped(node: ast.AST) -> bool:
    if isinstance(node, ast.Expr):
        call = ast.unparse(node.value)
        return isinstance(node.value, ast.Constant) or call.startswith("log.")
    return isinstance(node, SKIPPED)


def _is_type_check(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "isinstance"


def _negations(field: str, node: ast.AST) -> Iterator[ast.AST]:
    is_changed = isinstance(node, ast.Compare | ast.BoolOp | ast.UnaryOp | ast.Constant)
    if field in {"test", "ifs"} and isinstance(node, ast.expr) and not is_changed:
        yield ast.UnaryOp(ast.Not(), node)


def _replacements(node: ast.AST) -> Iterator[ast.AST]:  # noqa: C901 - one case for each kind of node
    match node:
        case ast.Compare(ops=ops):
            for index, operator in enumerate(ops):
                for other in COMPARISONS[type(operator)]:
                    yield _with(node, ops=[*ops[:index], other(), *ops[index + 1 :]])
        case ast.BoolOp(op=operator):
            yield _with(node, op=ast.Or() if isinstance(operator, ast.And) else ast.And())
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield operand
        case ast.BinOp(op=operator, left=left, right=right):
            if type(operator) in OPERATORS and not _is_text(left) and not _is_text(right):
                yield _with(node, op=OPERATORS[type(operator)]())
        case ast.AugAssign(op=operator, value=value) if type(operator) in OPERATORS and not _is_text(value):
            yield _with(node, op=OPERATORS[type(operator)]())
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield ast.Constant(value + 1)
        case ast.Constant(value=float(value)):
            yield ast.Constant(value * 2 or 1.0)
        case ast.Call(func=ast.Name(id=name)) if name in FUNCTION_NAMES:
            yield _with(node, func=ast.Name(FUNCTION_NAMES[name], ast.Load()))


def _with(node: ast.AST, **fields: object) -> ast.AST:
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
