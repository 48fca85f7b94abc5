"""The tests of HRIMS Sync. They run in a checkout."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
"""The folder of the checkout."""
