"""A database on a server, as a customer has one."""

import uuid

import psycopg
from psycopg.conninfo import make_conninfo

from hrims.migrate import migrate
from tests.support.databases import create, drop


class Site:
    """A database on a server, with an owner of few rights."""

    def __init__(self, server_dsn: str, *attributes: str) -> None:
        self.name = f"site_{uuid.uuid4().hex[:12]}"
        self.owner, self.login = f"{self.name}_owner", f"{self.name}_web"
        self.server_dsn = server_dsn
        create(server_dsn, self.name)
        self.execute(f"CREATE ROLE {self.owner} LOGIN {' '.join(attributes)}")
        self.execute(f"CREATE ROLE {self.login} LOGIN")
        self.execute(f"ALTER DATABASE {self.name} OWNER TO {self.owner}")

    def execute(self, statement: str) -> None:
        """Execute a statement as the administrator of the server."""
        with psycopg.connect(make_conninfo(self.server_dsn, dbname=self.name), autocommit=True) as conn:
            conn.execute(statement.encode())

    def dsn(self, user: str) -> str:
        """Return the address of the database for a user."""
        return make_conninfo(self.server_dsn, dbname=self.name, user=user)

    def migrate(self, login: str | None = None) -> list[str]:
        """Migrate as the owner. Return the warnings."""
        warnings: list[str] = []
        self.execute(f"GRANT CREATE ON SCHEMA public TO {self.owner}")
        self.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        migrate(self.dsn(self.owner), login=login, report=warnings.append)
        return warnings

    def drop(self) -> None:
        """Drop the database and its roles."""
        drop(self.server_dsn, self.name)
        with psycopg.connect(self.server_dsn, autocommit=True) as conn:
            conn.execute(f"DROP ROLE {self.owner}; DROP ROLE {self.login}".encode())
