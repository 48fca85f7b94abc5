"""Search for secrets. Input: a database. Output: a dump of all its tables, and whether it shows a secret."""

import base64
from urllib.parse import quote

from psycopg import sql

from hrims.db import Connection
from tests.support.databases import as_owner

TABLES = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
ORDER BY 1, 2
"""


def dump(conn: Connection) -> str:
    """Return the name and the rows of every table, as COPY writes them for the owner."""
    parts = []
    with as_owner(conn):
        for schema, table in conn.execute(TABLES.encode()).fetchall():
            parts.append(f"-- {schema}.{table}\n")
            statement = sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(schema, table))
            with conn.cursor().copy(statement) as rows:
                parts += [bytes(row).decode() for row in rows]
    return "".join(parts)


def forms_of(secret: bytes) -> set[str]:
    """Return the forms in which a text may show a secret: as it is, in hex, in base64 and in a URL."""
    plain = secret.decode(errors="replace")
    encoded = base64.b64encode(secret).decode().rstrip("=")
    return {plain, secret.hex(), encoded, encoded.translate(str.maketrans("+/", "-_")), quote(plain, safe="")}


def find_in(text: str, secret: bytes) -> list[str]:
    """Return the forms of the secret that are in the text."""
    return [form for form in forms_of(secret) if form in text]
