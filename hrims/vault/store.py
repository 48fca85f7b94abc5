"""SQL of the stored secrets. Input: a vault. Output: encrypted columns, or what is unreadable.

Each function that writes does so in one transaction.
"""

from typing import NamedTuple

from hrims.config import Settings
from hrims.db import Connection
from hrims.log import get_logger
from hrims.vault.columns import COLUMNS, KEY_CHECK, SecretColumn
from hrims.vault.errors import SecretUnreadable
from hrims.vault.vault import Vault, is_encrypted

CONTENT = b"HRIMS Sync"
"""What the value that checks the key contains."""

log = get_logger(__name__)


def open_vault(conn: Connection, settings: Settings) -> Vault:
    """Return the vault of this process, whose key is that of the database.

    The first process creates the key file, if no key is given. Raises SecretUnreadable if the database was
    encrypted with another key.
    """
    vault = Vault(settings)
    token = _find_key_check(conn)
    if token is None:
        if not vault.source.keys():
            vault.source.create()
        conn.execute(
            "INSERT INTO app_secrets (name, value) VALUES ('key_check', %s) ON CONFLICT DO NOTHING",
            (vault.encrypt(KEY_CHECK, CONTENT).decode(),),
        )
        # Another process may have been first, with another key.
        token = _find_key_check(conn)
    vault.decrypt(KEY_CHECK, token or b"")
    return vault


def check_key(conn: Connection, settings: Settings) -> Vault:
    """Return the vault of this process. Create no key.

    Raises SecretUnreadable if the database was encrypted with another key.
    """
    vault, token = Vault(settings), _find_key_check(conn)
    if token is not None:
        vault.decrypt(KEY_CHECK, token)
    return vault


def _find_key_check(conn: Connection) -> bytes | None:
    row = conn.execute("SELECT value FROM app_secrets WHERE name = 'key_check'").fetchone()
    return str(row[0]).encode() if row else None


def encrypt_clear(conn: Connection, settings: Settings) -> int:
    """Encrypt the secrets that an earlier version left in clear. Return how many.

    If there are none, no key is created. Raises SecretUnreadable if the key is not that of the database.
    """
    with conn.transaction():
        clear = [
            (column, column.purpose, id_, value)
            for column in COLUMNS
            for id_, value in _select(conn, column)
            if column.purpose and not is_encrypted(value)
        ]
        vault = open_vault(conn, settings) if clear else check_key(conn, settings)
        for column, purpose, id_, value in clear:
            conn.execute(column.update, (vault.encrypt(purpose, value), id_))
    if clear:
        log.info("secrets_encrypted", count=len(clear))
    return len(clear)


class Rotation(NamedTuple):
    """How many secrets were encrypted again and how many were current. ``discarded`` names the others."""

    rotated: int
    current: int
    discarded: list[str]


def rotate(conn: Connection, vault: Vault, *, discard: bool = False) -> Rotation:
    """Encrypt every stored secret with the first key of the vault, in the caller's transaction.

    With ``discard``, delete the secrets that no key decrypts. Otherwise raises SecretUnreadable, which names
    them.
    """
    rotated, current, lost = 0, 0, list[tuple[SecretColumn, str]]()
    for column in COLUMNS:
        for id_, value in _select(conn, column):
            if not is_encrypted(value) and column.purpose:
                conn.execute(column.update, (vault.encrypt(column.purpose, value), id_))
                rotated += 1
            elif not vault.can_read(value):
                lost.append((column, id_))
            elif token := vault.rotate(value):
                conn.execute(column.update, (token, id_))
                rotated += 1
            else:
                current += 1
    names = [column.title.format(id_) for column, id_ in lost]
    if lost and not discard:
        raise SecretUnreadable(_describe_lost(vault, names))
    for column, id_ in lost:
        conn.execute(column.discard, (id_,))
    return Rotation(rotated, current, names)


def _describe_lost(vault: Vault, names: list[str]) -> str:
    return (
        f"No key in {vault.source} decrypts {', '.join(names)}. Nothing was changed. Add the key that "
        "encrypted them. If it is lost, run `hrims db rotate-key --discard-unreadable`."
    )


class StoredSecrets(NamedTuple):
    """The number of secrets of the first key, of an older key and in clear; the names of the unreadable."""

    current: int
    older: int
    clear: int
    unreadable: list[str]


def inspect(conn: Connection, vault: Vault) -> StoredSecrets:
    """Return the state of every stored secret. It changes nothing."""
    current, older, clear, unreadable = 0, 0, 0, list[str]()
    for column in COLUMNS:
        for id_, value in _select(conn, column, lock=False):
            if not is_encrypted(value):
                clear += 1
            elif vault.is_current(value):
                current += 1
            elif vault.can_read(value):
                older += 1
            else:
                unreadable.append(column.title.format(id_))
    return StoredSecrets(current, older, clear, unreadable)


def _select(conn: Connection, column: SecretColumn, *, lock: bool = True) -> list[tuple[str, bytes]]:
    statement = column.select if lock else column.select.partition(" FOR UPDATE")[0]
    return [(str(id_), bytes(value)) for id_, value in conn.execute(statement.encode()).fetchall()]
