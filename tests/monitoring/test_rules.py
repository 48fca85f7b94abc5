"""The rules are valid, each alert is tested, and each leads to its paragraph in docs/how-to/operate.md."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import PROJECT
from tests.monitoring import stack_files
from tests.monitoring.stack_files import PROMETHEUS, RULE_TESTS, alerts, anchor_of
from tests.support import documents
from tests.support.prometheus import program

PAGE = PROJECT / "docs" / "how-to" / "operate.md"
BASE = "{{ $externalLabels.hrims_runbook }}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Provide a copy of deploy/prometheus with a token, as an operator has it."""
    copy = tmp_path / "prometheus"
    shutil.copytree(PROMETHEUS, copy)
    (copy / "hrims-metrics-token").write_text("a secret of the scraper")
    return copy


def promtool(*arguments: str | Path) -> str:
    """Run promtool. Return what it prints, if it succeeds."""
    command = [program("promtool"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_configuration_is_valid(folder: Path) -> None:
    assert "prometheus.yml is valid" in promtool("check", "config", folder / "prometheus.yml")


def test_the_rules_are_valid(folder: Path) -> None:
    printed = promtool("check", "rules", "--lint=all", "--lint-fatal", folder / "hrims.rules.yml")
    assert f"{len(stack_files.rules())} rules found" in printed


@pytest.mark.parametrize("file", RULE_TESTS, ids=lambda path: path.stem)
def test_alerts_fire_when_they_should(file: Path) -> None:
    assert "SUCCESS" in promtool("test", "rules", file)


def checks() -> list[tuple[str, bool]]:
    """Return each check of an alert: its name, and whether it must fire."""
    return [
        (check["alertname"], bool(check.get("exp_alerts")))
        for file in RULE_TESTS
        for test in stack_files.read_yaml(file)["tests"]
        for check in test.get("alert_rule_test", [])
    ]


@pytest.mark.parametrize("name", alerts())
def test_each_alert_has_a_test_and_near_misses(name: str) -> None:
    assert checks().count((name, True)) >= 1
    assert checks().count((name, False)) >= 2


def test_each_test_is_of_an_alert() -> None:
    assert {name for name, _ in checks()} == set(alerts())


def test_each_group_is_evaluated_in_its_order() -> None:
    groups = [group["name"] for group in stack_files.read_yaml(stack_files.RULES)["groups"]]
    for file in RULE_TESTS:
        assert stack_files.read_yaml(file)["group_eval_order"] == groups


@pytest.mark.parametrize("name", alerts())
def test_each_alert_says_what_happened_what_is_kept_and_what_to_do(name: str) -> None:
    alert = alerts()[name]
    notes = alert["annotations"]
    assert alert["labels"]["severity"] in {"critical", "warning"}
    assert set(notes) == {"summary", "description", "runbook_url"}
    assert notes["runbook_url"] == f"{BASE}#{anchor_of(name)}"
    assert len(notes["summary"]) <= 120
    assert len(re.findall(r"[.”](?: |$)", notes["description"])) >= 3


@pytest.mark.parametrize("name", alerts())
def test_each_alert_has_one_paragraph_in_the_page(name: str) -> None:
    assert list(documents.anchors_of(PAGE)).count(anchor_of(name)) == 1
    section = section_of(name)
    assert section.startswith(f"`{name}`, {alerts()[name]['labels']['severity']}."), section
    for label in ("First look:", "What to do:"):
        assert section.count(label) == 1, f"{name}: {label}"


def section_of(name: str) -> str:
    """Return the text below the heading of an alert."""
    for heading, text in re.findall(r"^### (.+)\n\n((?:(?!#).*\n)*)", documents.read(PAGE), re.MULTILINE):
        if heading.lower().replace(" ", "-") == anchor_of(name):
            return str(text)
    raise AssertionError(f"no paragraph for {name}")


def test_the_page_has_no_paragraph_of_another_alert() -> None:
    assert set(re.findall(r"^`(Hrims\w+)`, \w+\.", documents.read(PAGE), re.MULTILINE)) == set(alerts())


def test_the_address_of_the_page_is_set_in_one_place() -> None:
    label = stack_files.read_yaml(stack_files.CONFIG)["global"]["external_labels"]["hrims_runbook"]
    assert (PROJECT / label) == PAGE
    for file in RULE_TESTS:
        for test in stack_files.read_yaml(file)["tests"]:
            assert test["external_labels"]["hrims_runbook"] == label
