"""The databases that every other test stands on."""

import psycopg


def test_a_test_has_a_migrated_database_of_its_own(dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        assert tables.fetchall(), "the template was not migrated"
