"""Figures, each printed by the command that measures it: ``python -m benchmarks.NAME``, or all of
them with ``make bench``. Times are noisy, so each stands beside a ratio to something plain that was
measured in the same run.
"""
