"""Check the language of the project: ``python -m tests.support.language`` prints what breaks the rules.

Input: the files that git knows, and the subjects of the commits after ``BASE``. Output: a line for each
finding, and exit code 1 if there is one.
"""

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests import PROJECT

WORDS = re.compile(
    r"(?<![a-z])(whoever|whom|somebody|nobody|anew|does[ _]not[ _]do|by[ _]itself|by[ _]themselves)(?![a-z])",
    re.IGNORECASE,
)
"""Words that are not allowed in prose, and not in identifiers either."""

PLACES = ("app.py", "hrims", "templates", "docs", "migrations", "tests", "benchmarks", "Makefile", "*.md")

ALLOWED = {
    ("hrims/postgres/account.py", "nobody"): "the Unix account",
    ("docs/how-to/deploy.md", "nobody"): "the Unix account",
    ("docs/decisions/0006-embedded-postgres.md", "nobody"): "the Unix account",
    ("tests/unit/test_language.py", "whoever"): "the example that the check must find",
}
"""Words that stay in a file, each with its reason."""

BASE = "3fa4998d94802b84569ce82e5f5c318e78eb3a0e"
"""The last commit whose subject may break the rules."""

LONGEST_SUBJECT = 72

VERBS_IN_S_ED_ING = {
    "Access", "Address", "Bring", "Bypass", "Compress", "Discuss", "Dismiss", "Embed", "Exceed", "Express",
    "Feed", "Focus", "Guess", "Miss", "Need", "Pass", "Press", "Proceed", "Process", "Seed", "Suppress",
}  # fmt: skip
"""Imperative verbs that look like another form."""

NO_VERBS = {"A", "All", "An", "Every", "How", "No", "One", "That", "The", "What", "When", "Where", "Who"}


def main() -> None:
    """Print the findings."""
    subjects = read_subjects()
    found = [*find_words(), *find_bad_subjects(subjects)]
    for line in found:
        print(line)  # noqa: T201 - it is a command
    print(f"{len(found)} findings in the files and in {len(subjects)} commit subjects")  # noqa: T201 - the same
    sys.exit(bool(found))


def find_words() -> Iterator[str]:
    """Return each word that is not allowed in a file, with its place."""
    for name in git("ls-files", "--", *PLACES):
        path = PROJECT / name
        is_prose = path.name == "Makefile" or path.suffix in {".py", ".sql", ".md", ".html", ".txt"}
        if is_prose and path != Path(__file__) and path.exists():
            yield from _of(name, path)


def _of(name: str, path: Path) -> Iterator[str]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        for word in WORDS.findall(line):
            if (name, word.lower()) not in ALLOWED:
                yield f"{name}:{number}: {word}: {line.strip()[:100]}"


def read_subjects() -> list[str]:
    """Return the subjects of the commits after ``BASE``, without merges.

    A shallow clone that lacks ``BASE`` has only later commits, so all its commits are checked.
    """
    has_base = subprocess.run(
        ["git", "cat-file", "-e", f"{BASE}^{{commit}}"], cwd=PROJECT, check=False, capture_output=True
    )
    commits = f"{BASE}..HEAD" if has_base.returncode == 0 else "HEAD"
    return git("log", "--no-merges", "--format=%s", commits)


def find_bad_subjects(subjects: Sequence[str]) -> Iterator[str]:
    """Return a line for each rule that a subject breaks."""
    if not subjects:
        yield "git shows no commit: nothing was checked"
    for subject in subjects:
        for rule in broken_rules(subject):
            yield f"commit “{subject}”: {rule}"


def broken_rules(subject: str) -> list[str]:
    """Return the rules that the subject breaks, in words."""
    first = re.split(r"\W", subject, maxsplit=1)[0]
    is_imperative = first not in NO_VERBS and (
        first in VERBS_IN_S_ED_ING or not first.lower().endswith(("s", "ed", "ing"))
    )
    rules = {
        f"{len(subject)} characters, at most {LONGEST_SUBJECT}": len(subject) <= LONGEST_SUBJECT,
        "begin with a capital letter": first[:1].isupper(),
        "end without a full stop": not subject.endswith("."),
        f"begin with a verb in the imperative, not “{first}”": is_imperative,
        "use no forbidden word": not WORDS.search(subject),
    }
    return [rule for rule, is_kept in rules.items() if not is_kept]


def git(*arguments: str) -> list[str]:
    """Return the lines that a git command prints."""
    done = subprocess.run(["git", *arguments], cwd=PROJECT, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


if __name__ == "__main__":
    main()
