"""The columns that hold secrets. Input: none. Output: how each is read, written and discarded.

A column is listed here before a secret is stored in it, so that every secret gets the new key of a rotation.
"""

from typing import Final, LiteralString, NamedTuple

KEY_CHECK: Final = "key check"
"""The purpose of the value by which a process checks that its key is that of the database."""

FORM_KEY: Final = "form key"
"""The purpose of the key that signs forms and cookies."""

WEBHOOK: Final = "webhook"
"""The purpose of the secret that signs the messages to an endpoint."""


NAME_KEY: Final = "sign-in names"
"""The purpose of the key of the hashes of names that were typed at a sign-in."""

DEVICE_KEY: Final = "known devices"
"""The purpose of the key that signs the cookies of known devices."""

TWO_STEP: Final = "two-step"
"""The purpose of the secret of an authenticator app, before the id of its user."""


class SecretColumn(NamedTuple):
    """A column: what it holds, and its statements.

    ``select`` returns id and value of each secret, and locks the rows. ``update`` gets the value and the id,
    ``discard`` the id.
    """

    title: str
    """What it holds, for a message; ``{}`` is the id."""

    purpose: str | None
    """The purpose of a value that an earlier version left in clear; None if no version did."""

    select: LiteralString
    update: LiteralString
    discard: LiteralString


COLUMNS: Final = (
    SecretColumn(
        "the value that checks the encryption key",
        None,
        "SELECT name, convert_to(value, 'UTF8') FROM app_secrets WHERE name = 'key_check' FOR UPDATE",
        "UPDATE app_secrets SET value = convert_from(%s, 'UTF8') WHERE name = %s",
        "DELETE FROM app_secrets WHERE name = %s",
    ),
    SecretColumn(
        "the key that signs forms",
        FORM_KEY,
        "SELECT name, convert_to(value, 'UTF8') FROM app_secrets WHERE name = 'secret_key' FOR UPDATE",
        "UPDATE app_secrets SET value = convert_from(%s, 'UTF8') WHERE name = %s",
        "DELETE FROM app_secrets WHERE name = %s",
    ),
    SecretColumn(
        "the HRIMS credential {}",
        None,
        "SELECT name, value FROM remote_credentials ORDER BY name FOR UPDATE",
        "UPDATE remote_credentials SET value = %s WHERE name = %s",
        "DELETE FROM remote_credentials WHERE name = %s",
    ),
    SecretColumn(
        "a credential of the requested change of the connection {}",
        None,
        "SELECT a.id || ':' || c.key, convert_to(c.value, 'UTF8') FROM approvals a"
        " CROSS JOIN LATERAL jsonb_each_text(a.details #> '{change,credentials}') c"
        " WHERE a.state = 'waiting' AND c.value IS NOT NULL ORDER BY a.id, c.key FOR UPDATE OF a",
        "UPDATE approvals a SET details = jsonb_set(a.details, ARRAY['change', 'credentials',"
        " split_part(v.place, ':', 2)], to_jsonb(v.token))"
        " FROM (SELECT convert_from(%s, 'UTF8') AS token, %s::text AS place) v"
        " WHERE a.id = split_part(v.place, ':', 1)::bigint",
        "UPDATE approvals SET state = 'expired', decided_at = now(),"
        " details = details #- '{change,credentials}'"
        " WHERE id = split_part(%s, ':', 1)::bigint AND state = 'waiting'",
    ),
    SecretColumn(
        "the key of the hashes of typed names",
        None,
        "SELECT name, convert_to(value, 'UTF8') FROM app_secrets WHERE name = 'sign_in_names' FOR UPDATE",
        "UPDATE app_secrets SET value = convert_from(%s, 'UTF8') WHERE name = %s",
        "DELETE FROM app_secrets WHERE name = %s",
    ),
    SecretColumn(
        "the key that signs the cookies of known devices",
        None,
        "SELECT name, convert_to(value, 'UTF8') FROM app_secrets WHERE name = 'devices' FOR UPDATE",
        "UPDATE app_secrets SET value = convert_from(%s, 'UTF8') WHERE name = %s",
        "DELETE FROM app_secrets WHERE name = %s",
    ),
    SecretColumn(
        "the two-step sign-in of user {}",
        None,
        "SELECT user_id::text, secret FROM two_step ORDER BY user_id FOR UPDATE",
        "UPDATE two_step SET secret = %s WHERE user_id = %s::bigint",
        "DELETE FROM two_step WHERE user_id = %s::bigint",
    ),
    SecretColumn(
        "the secret of webhook endpoint {}",
        WEBHOOK,
        "SELECT id::text, secret FROM webhook_endpoints WHERE secret IS NOT NULL ORDER BY id FOR UPDATE",
        "UPDATE webhook_endpoints SET secret = %s WHERE id = %s::bigint",
        "UPDATE webhook_endpoints SET active = false, off_because = NULL, secret = NULL, removed_at = now()"
        " WHERE id = %s::bigint",
    ),
)
"""``app_secrets`` also has two values in clear: ``instance`` is part of the names of cookies, and decision
0032 says why ``reject_key`` is not encrypted.
"""
