"""The files of deploy/prometheus and deploy/grafana. Output: alerts, panels and queries."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests import PROJECT

PROMETHEUS = PROJECT / "deploy" / "prometheus"
RULES = PROMETHEUS / "hrims.rules.yml"
RULE_TESTS = sorted(PROMETHEUS.glob("*.test.yml"))
CONFIG = PROMETHEUS / "prometheus.yml"
GRAFANA = PROJECT / "deploy" / "grafana"
DASHBOARDS = sorted((GRAFANA / "dashboards").glob("*.json"))

VARIABLES = {"$__rate_interval": "1m", "$__range": "1d"}
"""Variables of Grafana in queries, with a value that they may have."""

Json = dict[str, Any]


class Query(NamedTuple):
    """A query in PromQL, and where it is written."""

    place: str
    expr: str


def read_yaml(path: Path) -> Any:
    """Return the content of a YAML file."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def rules() -> list[Json]:
    """Return the recording rules and alerts in their order."""
    return [rule for group in read_yaml(RULES)["groups"] for rule in group["rules"]]


def alerts() -> dict[str, Json]:
    """Return the alerts by name."""
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def recorded() -> dict[str, str]:
    """Return the query of each recording rule by its name."""
    return {rule["record"]: rule["expr"] for rule in rules() if "record" in rule}


def anchor_of(alert: str) -> str:
    """Return the anchor of the paragraph of an alert: its name in kebab case, without the prefix."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", alert.removeprefix("Hrims")).lower()


def dashboard(path: Path) -> Json:
    """Return a dashboard."""
    content: Json = json.loads(path.read_text(encoding="utf-8"))
    return content


def panels(path: Path) -> list[Json]:
    """Return the panels of a dashboard that are not rows."""
    return [panel for panel in dashboard(path)["panels"] if panel["type"] != "row"]


def dashboard_queries() -> Iterator[Query]:
    """Return each query of each panel, with values for the variables of Grafana."""
    for path in DASHBOARDS:
        for panel in panels(path):
            for target in panel["targets"]:
                yield Query(
                    f"{path.stem}: {panel['title']} {target['refId']}", without_variables(target["expr"])
                )


def rule_queries() -> Iterator[Query]:
    """Return the query of each rule."""
    for rule in rules():
        yield Query(rule.get("alert") or rule["record"], rule["expr"])


def without_variables(expr: str) -> str:
    """Return a query that Prometheus can parse."""
    for name, value in VARIABLES.items():
        expr = expr.replace(name, value)
    return expr
