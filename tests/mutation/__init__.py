"""The mutation run: small faults in the pure code, each of which a unit test must notice.

Input: the modules that pyproject.toml lists. Output: the share of killed mutants, and the survivors.
"""
