"""Encryption of the secrets that the database stores.

Input: secrets, and keys of the environment or of a file in the state directory. Output: tokens, and back.

``keys`` reads the keys, ``vault`` encrypts and decrypts, ``columns`` lists the columns that hold secrets, and
``store`` has the SQL that checks the keys and encrypts these columns again.
"""

from hrims.vault.keys import KeySource, add_key, new_key
from hrims.vault.store import open_vault
from hrims.vault.vault import Vault, is_encrypted

__all__ = ["KeySource", "Vault", "add_key", "is_encrypted", "new_key", "open_vault"]
