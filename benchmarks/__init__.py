"""Benchmarks: ``python -m benchmarks.NAME`` runs one and prints its figures; ``make bench`` runs all.

Times are noisy. Each is therefore printed beside a ratio to a simple operation that was measured in the same
run.
"""

from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
"""Root folder of the checkout."""
