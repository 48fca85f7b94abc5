"""Links, blocks, inline commands and lists of the documents are correct. Their blocks run in other tests."""

import inspect
import json
import re
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import click
import pytest

from hrims import cli, errors
from hrims.jobs.attempts import rights
from hrims.jobs.attempts.retry_policy import DeadlinePassed
from hrims.rejects.messages import CODES
from hrims.sync.steps import RULES
from tests import PROJECT
from tests.support import documents
from tests.support.documents import PAGES, name_of

LANGUAGES = {"sh", "sql", "json", "python", "text"}
"""``sh`` runs in tests/e2e/processes/test_documents.py, ``sql`` in tests/database, ``json`` is read here."""

PYTHON = ["docs/how-to/receive-webhooks.md", "docs/reference/audit.md"]
"""Pages whose Python blocks a test runs (test_webhooks_doc.py, tests/audit/test_document.py)."""

REFERENCE = PROJECT / "docs" / "reference"
TOP_FOLDERS = "hrims|tests|docs|migrations|templates|deploy|benchmarks"
QUOTING = re.compile(r"README|docs/(how-to|tutorial|reference)/")
"""Pages that quote only labels and messages of the product."""

PLACES_OF_LABELS = ("templates/**/*.html", "hrims/**/*.py", "deploy/**/*.json", "deploy/**/*.y*ml")

NO_LABELS = {"Its worker died 4 times", "connection refused", "Out of memory"}
"""A message of which the code computes a part, and those of the operating system."""

FILE = re.compile(rf"(?:{TOP_FOLDERS})/[\w./-]+")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_and_anchors_lead_somewhere(page: Path) -> None:
    for link in documents.links_of(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in documents.anchors_of(target), link


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_block_has_a_language_that_a_test_reads(page: Path) -> None:
    blocks = documents.blocks_of(page)
    assert {block.language for block in blocks} <= LANGUAGES
    fences = [line for line in documents.read(page).splitlines() if line.lstrip().startswith(("```", "~~~"))]
    assert len(fences) == 2 * len(blocks), "a fence is not closed, or not read"
    assert name_of(page) in PYTHON or not any(block.language == "python" for block in blocks)
    for block in blocks:
        if block.language == "json":
            json.loads(block.text)


def test_the_shell_can_parse_every_block() -> None:
    script = "\n".join(command for page in PAGES for command in documents.commands_of(page))
    done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_inline_commands_exist(page: Path) -> None:
    for code in documents.inline_code(page):
        words = code.removeprefix(".venv/bin/").split()
        assert not words or not wrong_command(words), f"{code}: {wrong_command(words)}"


@pytest.mark.parametrize("page", [page for page in PAGES if page.stem != "CHANGELOG"], ids=name_of)
def test_files_that_are_named_exist(page: Path) -> None:
    for code in documents.inline_code(page):
        assert not FILE.fullmatch(code) or "NAME" in code or (PROJECT / code).exists(), code


@pytest.fixture(scope="module")
def product_text() -> str:
    """Return the text of templates, messages and dashboards, with the fetch buttons filled in."""
    files = [file for place in PLACES_OF_LABELS for file in PROJECT.glob(place)]
    text = " ".join(" ".join(file.read_text(encoding="utf-8").split()) for file in files)
    return text + text.replace("{{ label }}", "Vote Code") + text.replace("{{ label }}", "TIN")


@pytest.mark.parametrize("page", [page for page in PAGES if QUOTING.search(name_of(page))], ids=name_of)
def test_quoted_labels_are_in_the_product(page: Path, product_text: str) -> None:
    for label in re.findall(r"“([^”]+)”", " ".join(documents.prose_of(page).split())):
        assert label in product_text or label in NO_LABELS, label


@pytest.mark.parametrize("words", ["hrims snyc", "hrims sync --fote 037", "make rnu", "python -m benchmarcs"])
def test_an_invented_command_is_noticed(words: str) -> None:
    assert wrong_command(words.split())


def test_the_index_lists_every_page() -> None:
    index = PROJECT / "docs" / "README.md"
    listed = {(index.parent / link.partition("#")[0]).resolve() for link in documents.links_of(index)}
    assert {page for page in PAGES if page.is_relative_to(index.parent)} - listed == {index}


def test_the_reference_lists_every_command_and_option() -> None:
    sections = dict(
        re.findall(r"^## (hrims.*)\n((?:(?!## ).*\n)*)", (REFERENCE / "cli.md").read_text(), re.MULTILINE)
    )
    for words, command in commands((), cli.commands):
        section = sections[" ".join(["hrims", *words[:1]])]
        assert " ".join(["hrims", *words]) in section or len(words) < 2
        options = {name for option in command.params for name in option.opts + option.secondary_opts}
        for option in {name for name in options if name.startswith("--")}:
            assert f"`{option}" in section, f"{words}: {option}"


def test_the_reference_lists_every_error_code() -> None:
    listed = set(re.findall(r"`(\w+)`", (REFERENCE / "errors.md").read_text()))
    classes = [found for _, found in inspect.getmembers(errors, inspect.isclass)]
    kinds = errors.InputError | errors.RemoteError | errors.PreviewError
    codes = {found.code for found in classes if issubclass(found, kinds)}
    assert codes | set(CODES) <= listed | {"remote", "error"}


def test_the_reference_says_which_errors_are_retried() -> None:
    section = (REFERENCE / "errors.md").read_text().partition("## Failed runs")[2]
    listed = dict(re.findall(r"^\| `(\w+)` \| .+ \| (yes|no) \|$", section, re.MULTILINE))
    kinds = (errors.RemoteError, errors.PreviewError, errors.ConfigError, DeadlinePassed)
    raised = [found for found in subclasses(errors.HrimsSyncError) if issubclass(found, kinds)]
    retried = {found.code: "yes" if found.is_retryable else "no" for found in raised if "code" in vars(found)}
    assert retried.pop("remote") == "yes"
    outside = {"database": "yes", "unexpected": "yes", "worker_died": "no"}
    assert listed == retried | outside | dict.fromkeys(rights.REASONS, "no")


def subclasses(kind: type[errors.HrimsSyncError]) -> Iterator[type[errors.HrimsSyncError]]:
    """Return the classes below an error class."""
    for below in kind.__subclasses__():
        yield below
        yield from subclasses(below)


def test_the_explanation_has_the_rules_of_the_steps() -> None:
    page = (PROJECT / "docs" / "explanation" / "completeness.md").read_text()
    rows = re.findall(r"^\| (.+) \| (.+) \| (.+) \|$", page.partition("| after |")[2], re.MULTILINE)
    assert rows == [(rule.after, rule.condition, rule.then.replace("_", " ")) for rule in RULES]


def wrong_command(words: list[str]) -> str | None:
    """Return what is wrong with a command that a page names, in words."""
    match words:
        case ["hrims", *arguments]:
            return _wrong_arguments(arguments)
        case ["make", *targets]:
            makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
            known = set(re.findall(r"^([\w-]+):", makefile, re.MULTILINE))
            unknown = {word for word in targets if "=" not in word} - known
            return f"no target {unknown}" if unknown else None
        case ["python", "-m", module, *_]:
            return None if find_spec(module) else f"no module {module}"
    return None


def _wrong_arguments(arguments: list[str]) -> str | None:
    command: click.Command = cli.commands
    while isinstance(command, click.Group) and arguments and re.fullmatch(r"[a-z][a-z-]*", arguments[0]):
        found = command.get_command(click.Context(command), arguments[0])
        if found is None:
            return f"no command {arguments[0]}"
        command, arguments = found, arguments[1:]
    options = {word.partition("=")[0] for word in arguments if word.startswith("--")} - {"--help"}
    known = {name for option in command.params for name in option.opts + option.secondary_opts}
    is_foreign = command.context_settings.get("ignore_unknown_options", False)
    return f"no option {options - known}" if options - known and not is_foreign else None


def commands(
    words: tuple[str, ...], command: click.Command
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Return a command and those below it, each with its words."""
    yield words, command
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            below = command.get_command(click.Context(command), name)
            assert below
            yield from commands((*words, name), below)
