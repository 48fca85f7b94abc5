"""Cheap password hashes for tests: a hash of the product takes 64 MB and a tenth of a second."""

import argon2

from hrims.access import passwords

PRODUCT_HASHER = passwords._hasher


def use_cheap_hashes() -> None:
    """Make this process hash passwords cheaply; a process that verifies such a hash is quick, too."""
    passwords._hasher = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
