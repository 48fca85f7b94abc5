"""Every pure module is mutated, and every explanation of a survivor is about a mutant that exists."""

import ast
import textwrap

import pytest

from tests import PROJECT
from tests.mutation.configuration import left_out, modules, pure_modules, survivors
from tests.mutation.mutants import find_mutants


def test_every_pure_module_is_mutated_or_left_out_with_a_reason() -> None:
    assert set(pure_modules()) <= set(modules()) | set(left_out())
    assert all(left_out().values())
    assert all((PROJECT / path).exists() for path in (*modules(), *left_out()))


def test_every_explanation_is_about_a_mutant_that_exists() -> None:
    for survivor in survivors():
        assert survivor.path in modules()
        assert survivor.why
        tree = ast.parse((PROJECT / survivor.path).read_text())
        changes = {(mutant.statement, mutant.code, mutant.becomes) for mutant in find_mutants(tree)}
        assert survivor[1:4] in changes, survivor


@pytest.mark.parametrize(
    ("source", "changes"),
    [
        ("x = a < b", ["a <= b", "a >= b"]),
        ("x = a == b", ["a != b"]),
        ("x = a and b", ["a or b"]),
        ("x = not a", ["a"]),
        ("x = 2 * a", ["2 // a", "3 * a"]),
        ("x = min(a)", ["max(a)"]),
        ("x = True", ["False"]),
        ("x = 0.5", ["1.0"]),
        ("if a: x += b", ["if not a:\n    x += b", "x -= b"]),
        ("x: Final[int | str] = a", []),
        ("'text'", []),
        ("x = 'text' + a", []),
        ("x = f'{a + 1}'", []),
        ("assert a < b", []),
        ("raise ValueError(a + 1)", []),
        ("log.info('text', a + 1)", []),
    ],
)
def test_conditions_operators_and_numbers_are_changed_and_texts_are_not(
    source: str, changes: list[str]
) -> None:
    found = []
    for number in range(len(find_mutants(ast.parse(source)))):
        tree = ast.parse(source)
        find_mutants(tree)[number].apply()
        found.append(ast.unparse(tree).removeprefix("x = "))
    assert [change.replace("if a:\n    ", "") for change in found] == [
        textwrap.dedent(one) for one in changes
    ]
