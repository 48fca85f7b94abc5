"""Fixtures of the tests of monitoring: the product with a web process, a simulator and a database."""

from tests.support.worlds import simulator, world

__all__ = ["simulator", "world"]
