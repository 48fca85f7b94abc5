"""Only ``hrims.db`` connects, because each connection must detect a pooler."""

from tests import PROJECT

MAY = {"hrims/db.py", "hrims/postgres/server.py"}
"""The second talks to the embedded server alone."""


def test_connections_are_made_in_one_place() -> None:
    found = {
        str(path.relative_to(PROJECT))
        for path in (PROJECT / "hrims").rglob("*.py")
        if "psycopg.connect(" in path.read_text() or "AsyncConnection.connect(" in path.read_text()
    }
    assert found == MAY
