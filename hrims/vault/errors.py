"""The error of stored secrets. Its message says what to do, and contains neither a secret nor a key."""

from hrims.errors import DatabaseUnusable


class SecretUnreadable(DatabaseUnusable):
    """A stored secret cannot be decrypted with the keys of this process."""

    code = "secret_unreadable"
