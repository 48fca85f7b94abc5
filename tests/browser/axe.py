"""axe-core in the page: a page comes in, what keeps people out of it goes out."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

AXE = Path(__file__).with_name("vendor") / "axe.min.js"


def violations(page: Page, *rules: str) -> list[str]:
    """Return what axe finds on the page as it is, a line each: impact, rule, and the elements.

    Without rules it checks all.
    """
    # Through evaluate, because the page's policy refuses scripts that are not its own.
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = rules
    found: list[dict[str, Any]] = page.evaluate(
        "(options) => axe.run(document, options).then((result) => result.violations)", options
    )
    return [f"{one['impact']}: {one['id']} ({one['help']}): {_where(one)}" for one in found]


def _where(violation: dict[str, Any]) -> str:
    return "; ".join(f"{node['html'][:160]} ({node['failureSummary']})" for node in violation["nodes"])
