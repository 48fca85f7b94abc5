"""SQL that tells which people of a list a complete run proves to be absent: an error is never an absence."""

from pathlib import Path
from typing import Final

from hrims.db import statements

ABSENCE: Final = statements(Path(__file__).with_name("absence.sql"))
