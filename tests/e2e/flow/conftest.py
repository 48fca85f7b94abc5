"""The fixtures of the flow tests."""

from tests.support.worlds import simulator, world

__all__ = ["simulator", "world"]
