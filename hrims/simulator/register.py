"""The register and the number of people that each institution lists.

Input: a CSV file. Output: Institutions.
"""

import csv
import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

APPOINTING_AUTHORITY = "037"
"""The vote code of the appointing authority; nearly all people that it lists work elsewhere."""

SIZES = {
    "001": 2500, "002": 140, "003": 210, "005": 480, "006": 62, "007": 118, "008": 95,
    "009": 230, "010": 410, "011": 88, "012": 350, "013": 132, "015": 104, "016": 97,
    "017": 420, "018": 760, "019": 2640, "020": 1980, "021": 155, "022": 690, "023": 1520,
    "024": 410, "025": 540, "026": 84, "027": 240, "028": 820, "030": 190, "031": 510,
    "032": 370, "033": 265, "034": 145, "035": 71, "036": 330, "037": 6408, "038": 160,
    "039": 1340, "040": 19273, "184212661": 128, "152992312": 76,
}  # fmt: skip
"""Number of people by vote code, or by TIN if there is none; about 43,000 in total, each counted once."""


@dataclass(frozen=True)
class Institution:
    """An institution.

    ``number`` is its place in the register, from 0; ``size`` is the number of people that it lists.
    """

    number: int
    name: str
    vote_code: str
    tin: str
    size: int


def read(path: Path, *, seed: int, scale: float, sizes: Mapping[str, int]) -> tuple[Institution, ...]:
    """Return all institutions of the CSV (columns ``name``, ``vote_code``, ``tin``), in its order."""
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return tuple(_institution(number, row, seed, scale, sizes) for number, row in enumerate(rows))


def _institution(
    number: int, row: dict[str, str], seed: int, scale: float, sizes: Mapping[str, int]
) -> Institution:
    vote_code, tin = row["vote_code"].strip(), row["tin"].strip()
    given = [sizes[key] for key in (vote_code, tin) if key in sizes]
    size = given[0] if given else _usual_size(vote_code or tin, seed, scale)
    return Institution(number, row["name"], vote_code, tin, size)


def _usual_size(key: str, seed: int, scale: float) -> int:
    if not key:
        return 0  # it lists no people and is only a workplace
    rng = random.Random(f"{seed}/{key}")  # noqa: S311 - reproducible on purpose, no secret
    return max(1, round(SIZES.get(key, rng.randint(40, 900)) * scale))
