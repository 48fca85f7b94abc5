"""``python -m tests.mutation [PATH …]`` runs the mutants of the configured modules, or of these.

Input: ``[tool.mutation]`` of pyproject.toml, and ``survivors.toml``, which explains survivors. Output: the
share of killed mutants, and each survivor without an explanation. Exit code 1 if there is one, or if too few
are killed.
"""

import sys
from collections import Counter

from tests import PROJECT
from tests.mutation.configuration import MIN_KILLED, modules, survivors
from tests.mutation.run import Result, run


def main() -> None:
    """Run the mutants, and print the results."""
    paths = {path.removesuffix(".py").replace("/", "."): PROJECT / path for path in sys.argv[1:] or modules()}
    unexplained: list[Result] = []
    explained = {survivor[:4] for survivor in survivors()}

    def report(result: Result) -> None:
        path, mutant = paths[result.module].relative_to(PROJECT).as_posix(), result.mutant
        if not result.is_killed and (path, mutant.statement, mutant.code, mutant.becomes) not in explained:
            unexplained.append(result)
            change = f"{mutant.code!r} becomes {mutant.becomes!r} in {mutant.statement!r}"
            _print(f"survived {result.tests} tests ({result.code}): {path}:{mutant.line} {change}")

    finished = run(paths, [str(PROJECT / "tests" / "unit")], report)
    for test in finished.failed:
        _print(f"fails without a mutant: {test}")
    _print_summary(finished.results)
    is_enough = sum(result.is_killed for result in finished.results) >= MIN_KILLED * len(finished.results)
    sys.exit(not is_enough or bool(unexplained or finished.failed))


def _print_summary(results: list[Result]) -> None:
    mutants = Counter(result.module for result in results)
    killed = Counter(result.module for result in results if result.is_killed)
    timeouts = sum(result.is_timeout for result in results)
    for module, count in mutants.items():
        _print(f"{killed[module]:4} of {count:4} killed: {module}")
    share = 100 * killed.total() / max(1, len(results))
    _print(f"{killed.total()} of {len(results)} mutants killed, {share:.1f} %; {timeouts} by their CPU time")


def _print(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - it is a command


if __name__ == "__main__":
    main()
