"""Password hashes of the product, which other tests replace by cheaper ones."""

import argon2

from tests.support.password_hashes import PRODUCT_HASHER


def test_a_hash_costs_an_attacker_what_owasp_demands() -> None:
    """Argon2id with 46 MB and one pass; see OWASP's Password Storage Cheat Sheet."""
    parameters = argon2.extract_parameters(PRODUCT_HASHER.hash("a wet monsoon"))
    assert parameters.type is argon2.Type.ID
    assert parameters.memory_cost >= 46 * 1024
