"""SQL that finds the employees of a list whose absence a complete run proves. An error never proves an
absence.
"""

from pathlib import Path
from typing import Final

from hrims.db import statements

ABSENCE: Final = statements(Path(__file__).with_name("absence.sql"))
