"""The migrations of this code, and the differences of a database from them.

Input: files, and rows of the ledger. Output: the missing, unknown and changed migrations.

A release has two halves. The older version of the code tolerates the before half. The after half, files named
``….after.sql``, comes last and waits until no process of the older version runs. A file ``….list`` or
``….after.list`` stands for the files of Procrastinate that it lists.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from hrims.errors import DatabaseUnusable
from hrims.installation import MIGRATIONS

AFTER = (".after.sql", ".after.list")
"""Suffixes of files that need the older version stopped."""


class SchemaMismatch(DatabaseUnusable):
    """The schema of the database does not match this code."""


@dataclass(frozen=True)
class Migration:
    """One migration: its name in the ledger and its SQL."""

    name: str
    sql: str
    is_after: bool = False
    """Whether it must wait until no process of the older version runs."""

    @property
    def sha256(self) -> str:
        """The digest of the SQL in the ledger."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


@dataclass(frozen=True)
class SchemaState:
    """The differences between a database and the schema that this code expects."""

    missing: list[Migration]
    unknown: list[str]
    """Applied migrations that this code does not know, in order. A newer version applied them."""

    changed: list[str]
    """Applied migrations whose files have changed since."""

    @property
    def missing_before(self) -> list[str]:
        """Names of the missing migrations without which this code cannot run."""
        return [file.name for file in self.missing if not file.is_after]

    @property
    def missing_after(self) -> list[str]:
        """Names of the missing migrations for which this code need not wait."""
        return [file.name for file in self.missing if file.is_after]

    def check_halves(self) -> None:
        """Raise DatabaseUnusable if a migration of the after half must precede one of the before half."""
        after = next((index for index, file in enumerate(self.missing) if file.is_after), len(self.missing))
        later = next((file for file in self.missing[after:] if not file.is_after), None)
        if later:
            raise DatabaseUnusable(
                f"An earlier upgrade is not finished: {self.missing[after].name} is missing, and must be "
                f"applied before {later.name}. Nothing was changed. Run `hrims migrate` of the version that "
                "runs now, then this command again. Or stop all web processes and workers, and run "
                "`hrims migrate` without --before."
            )

    def check_known(self, *, allow_newer: bool = False) -> None:
        """Raise SchemaMismatch if an applied migration was changed, or is unknown unless ``allow_newer``."""
        if self.unknown and not allow_newer:
            raise SchemaMismatch(
                f"This database is newer than this code: it holds {self.unknown[-1]}, which is not known "
                "here. Nothing was changed. Run the newer version of HRIMS Sync, or name another database."
            )
        if self.changed:
            raise SchemaMismatch(
                f"The migration {self.changed[0]} was changed after this database applied it. Nothing was "
                "changed. Put the file back as it was and write the change as a new migration."
            )


class SchemaCheck:
    """The check whether a process may use the database.

    Create it when the process starts: an upgrade may replace the files while the process runs.

    A process that passed once continues when a newer version migrates the database, because the before half
    permits that. A process of the older version that starts later refuses the database.
    """

    def __init__(self, files: list[Migration] | None = None) -> None:
        self._files = load_migrations() if files is None else files
        self.has_passed = False

    def check(self, applied: Mapping[str, str]) -> str:
        """Return a warning for the operator; empty if there is none. Raises SchemaMismatch."""
        state = compare(self._files, applied)
        state.check_known(allow_newer=self.has_passed)
        if state.missing_before:
            raise SchemaMismatch(
                f"The database lacks {state.missing_before[0]}, which this version needs. Nothing was "
                "changed. Run `hrims migrate`; while processes of the older version run, add --before."
            )
        self.has_passed = True
        if not state.unknown:
            return ""
        return (
            f"The database is newer than this process: it holds {state.unknown[-1]}. The process continues. "
            "Restart it with the newer version of HRIMS Sync."
        )


def load_migrations(folder: Path = MIGRATIONS) -> list[Migration]:
    """Read the migrations of this code, in order."""
    found: list[Migration] = []
    for path in sorted(folder.iterdir()):
        if path.suffix == ".list":
            found += _load_procrastinate(path)
        elif path.suffix == ".sql":
            found.append(Migration(path.name, path.read_text(encoding="utf-8"), path.name.endswith(AFTER)))
    return found


def _load_procrastinate(path: Path) -> list[Migration]:
    shipped = resources.files("procrastinate.sql.migrations")
    lines = path.read_text(encoding="utf-8").splitlines()
    names = [line for line in lines if line and not line.startswith("#")]
    return [
        Migration(
            f"procrastinate/{name}",
            shipped.joinpath(name).read_text(encoding="utf-8"),
            path.name.endswith(AFTER),
        )
        for name in names
    ]


def compare(files: list[Migration], applied: Mapping[str, str]) -> SchemaState:
    """Compare the migrations of a version with the applied ones, given as SHA-256 by name."""
    known = {file.name: file.sha256 for file in files}
    return SchemaState(
        missing=[file for file in files if file.name not in applied],
        unknown=sorted(applied.keys() - known.keys()),
        changed=sorted(name for name, sha256 in applied.items() if known.get(name, sha256) != sha256),
    )
