"""Grafana can show the dashboards: ids, layout, units, queries, variables and provisioning are right."""

from pathlib import Path
from typing import Any

import pytest

from tests.monitoring.stack_files import DASHBOARDS, GRAFANA, Json, dashboard, panels, read_yaml

TYPES = {"stat", "timeseries", "bargauge", "table", "state-timeline", "row"}
"""Types of panels that Grafana has and does not deprecate."""

UNITS = {"short", "none", "s", "bytes", "percentunit", "reqps", "ops"}
SCHEMA_VERSION = 42
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}

each = pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)


def test_there_are_two_dashboards() -> None:
    assert [path.stem for path in DASHBOARDS] == ["operator", "service-level"]


@each
def test_a_dashboard_can_be_provisioned(path: Path) -> None:
    content = dashboard(path)
    assert content["uid"] == f"hrims-{path.stem}"
    assert content["schemaVersion"] == SCHEMA_VERSION
    assert content["title"]
    assert content["description"]
    assert "id" not in content
    assert content["refresh"]
    [variable] = content["templating"]["list"]
    assert (variable["name"], variable["type"], variable["query"]) == (
        "datasource",
        "datasource",
        "prometheus",
    )


@each
def test_the_links_lead_to_the_other_dashboard(path: Path) -> None:
    uids = {dashboard(other)["uid"] for other in DASHBOARDS if other != path}
    assert {link["url"] for link in dashboard(path)["links"]} == {f"/d/{uid}" for uid in uids}


@each
def test_ids_are_unique(path: Path) -> None:
    ids = [panel["id"] for panel in dashboard(path)["panels"]]
    assert len(set(ids)) == len(ids)
    assert all(number > 0 for number in ids)


@each
def test_panels_do_not_overlap_and_leave_no_hole_in_a_line(path: Path) -> None:
    taken = dict[tuple[int, int], int]()
    for panel in dashboard(path)["panels"]:
        place = panel["gridPos"]
        assert place["x"] >= 0
        assert place["w"] > 0
        assert place["x"] + place["w"] <= 24
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                other = taken.setdefault((x, y), panel["id"])
                assert other == panel["id"], f"{panel['title']} covers panel {other}"
    lines = {y for _, y in taken}
    assert lines == set(range(max(lines) + 1))


@each
def test_each_panel_says_what_it_shows(path: Path) -> None:
    titles = [(panel["type"], panel["title"]) for panel in panels(path)]
    for panel in panels(path):
        assert panel["type"] in TYPES
        assert panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        assert panel["datasource"] == DATASOURCE
    assert len(titles) == len(set(titles))


@each
def test_each_panel_has_a_unit_and_ascending_thresholds(path: Path) -> None:
    for panel in panels(path):
        defaults = panel["fieldConfig"]["defaults"]
        assert defaults["unit"] in UNITS, panel["title"]
        base, *steps = [step["value"] for step in defaults["thresholds"]["steps"]]
        assert base is None
        assert steps == sorted(steps)
        assert all(step["color"] for step in defaults["thresholds"]["steps"])


@each
def test_each_target_is_a_query(path: Path) -> None:
    for panel in panels(path):
        assert panel["targets"]
        ids = [target["refId"] for target in panel["targets"]]
        assert ids == list("ABCDEFGH"[: len(ids)])
        for target in panel["targets"]:
            assert target["datasource"] == DATASOURCE
            assert target["expr"].strip()
            assert target["instant"] is not target["range"]
            assert target["legendFormat"]


@each
def test_one_color_means_one_state(path: Path) -> None:
    for panel in panels(path):
        for override in panel["fieldConfig"]["overrides"]:
            assert override["matcher"]["id"] == "byName"
            assert {item["id"] for item in override["properties"]} <= {"color", "displayName"}


def provisioned(kind: str) -> Any:
    """Return the one entry of a provisioning file."""
    [file] = (GRAFANA / "provisioning" / kind).glob("*.yml")
    content: Json = read_yaml(file)
    assert content["apiVersion"] == 1
    [entry] = content["providers" if kind == "dashboards" else kind]
    return entry


def test_the_datasource_is_prometheus() -> None:
    entry = provisioned("datasources")
    assert (entry["type"], entry["uid"], entry["access"]) == ("prometheus", "hrims-prometheus", "proxy")
    assert entry["jsonData"]["timeInterval"] == "15s"


def test_the_provider_reads_the_dashboards() -> None:
    entry = provisioned("dashboards")
    assert entry["type"] == "file"
    assert entry["options"]["path"] == "$HRIMS_DASHBOARDS"
