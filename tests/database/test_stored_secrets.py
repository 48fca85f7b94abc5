"""What the database stores of secrets: nothing in clear, all under one key, and readable while it changes."""

import base64
import threading
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hrims.access import keys
from hrims.config import Settings, load
from hrims.db import Connection
from hrims.vault import Vault, add_key, open_vault, store
from hrims.vault.columns import COLUMNS, FORM_KEY, WEBHOOK
from hrims.vault.errors import SecretUnreadable
from tests.database.connections import change
from tests.database.webhooks import PRIVATE, endpoint
from tests.support.encryption import KEY, OTHER_KEY
from tests.support.secrets import dump, find_in, forms_of

OTHER = load({"HRIMS_ENCRYPTION_KEY": OTHER_KEY})
BOTH = load({"HRIMS_ENCRYPTION_KEY": f"{OTHER_KEY},{KEY}"})
CLEAR_KEY = "a form key that an earlier version left in clear"
CLEAR_SECRET = b"a webhook secret left in clear!!"


def in_file(folder: Path) -> Settings:
    return load({"HRIMS_STATE_DIR": str(folder)})


def leave_clear(conn: Connection) -> None:
    """Insert secrets as an earlier version stored them."""
    conn.execute("INSERT INTO app_secrets (name, value) VALUES ('secret_key', %s)", (CLEAR_KEY,))
    conn.execute(
        "INSERT INTO webhook_endpoints (url, secret, made_by) VALUES ('https://old.example', %s, 'asha')",
        (CLEAR_SECRET,),
    )


def stored(conn: Connection) -> Any:
    """Return every encrypted value, by what it is."""
    return {
        (column.title, id_): bytes(value)
        for column in COLUMNS
        for id_, value in conn.execute(column.select.encode()).fetchall()
    }


def test_a_dump_of_the_whole_database_holds_no_clear_secret(
    conn: Connection, owner: Connection, dsn: str
) -> None:
    form_key, added = keys.secret_key(conn, PRIVATE), endpoint(conn)
    credentials = {"api_key": "an-invented-api-key", "token": "an-invented-token"}
    change(conn, address="https://hrims.example", **credentials)
    of_sign_in = keys.name_key(conn, PRIVATE), keys.device_key(conn, PRIVATE)
    text = dump(owner)
    assert "hrims_form" not in text
    assert "webhook_endpoints" in text
    plain = (form_key, added.secret, added.secret.removeprefix("whsec_"), KEY, *credentials.values())
    for secret in (*(text_.encode() for text_ in plain), *of_sign_in):
        assert not find_in(text, secret)
    assert not find_in(text, base64.b64decode(added.secret.removeprefix("whsec_")))
    [(token,)] = conn.execute("SELECT secret FROM webhook_endpoints").fetchall()
    assert find_in(text, token), "the search finds what is there"


def test_what_an_earlier_version_left_in_clear_is_encrypted(conn: Connection, owner: Connection) -> None:
    leave_clear(conn)
    assert any(form in dump(owner) for form in forms_of(CLEAR_SECRET))
    assert store.encrypt_clear(conn, PRIVATE) == 2
    text = dump(owner)
    assert not find_in(text, CLEAR_SECRET)
    assert not find_in(text, CLEAR_KEY.encode())
    assert keys.secret_key(conn, PRIVATE) == CLEAR_KEY
    [(token,)] = conn.execute("SELECT secret FROM webhook_endpoints").fetchall()
    assert Vault(PRIVATE).decrypt(WEBHOOK, token) == CLEAR_SECRET
    assert store.encrypt_clear(conn, PRIVATE) == 0


def test_processes_that_start_at_once_encrypt_each_secret_once(conn: Connection, dsn: str) -> None:
    leave_clear(conn)
    counts = list[int]()

    def start() -> None:
        with psycopg.connect(dsn, autocommit=True) as own:
            counts.append(store.encrypt_clear(own, PRIVATE))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == 2
    assert keys.secret_key(conn, PRIVATE) == CLEAR_KEY


def test_a_process_with_nothing_to_encrypt_makes_no_key(conn: Connection, tmp_path: Path) -> None:
    assert store.encrypt_clear(conn, in_file(tmp_path)) == 0
    assert not list(tmp_path.iterdir())
    assert stored(conn) == {}


def test_a_second_machine_makes_no_key_of_its_own(conn: Connection, tmp_path: Path) -> None:
    first, second = in_file(tmp_path / "first"), in_file(tmp_path / "second")
    secret = keys.secret_key(conn, first)
    for ask in (open_vault, store.encrypt_clear, keys.secret_key):
        with pytest.raises(SecretUnreadable, match="this process has no key"):
            ask(conn, second)
    assert not (tmp_path / "second").exists()
    (tmp_path / "second").mkdir()
    (tmp_path / "second/encryption.key").write_text((tmp_path / "first/encryption.key").read_text())
    assert keys.secret_key(conn, second) == secret


def test_another_key_is_refused_before_it_encrypts_anything(conn: Connection) -> None:
    keys.secret_key(conn, PRIVATE)
    before = stored(conn)
    with pytest.raises(SecretUnreadable, match="Give every machine the same"):
        open_vault(conn, OTHER)
    with pytest.raises(SecretUnreadable, match="Give every machine the same"):
        store.encrypt_clear(conn, OTHER)
    assert stored(conn) == before


# Rotation


def test_a_rotation_encrypts_everything_with_the_first_key(conn: Connection) -> None:
    form_key = keys.secret_key(conn, PRIVATE)
    endpoint(conn)
    leave_clear_endpoint(conn)
    before = stored(conn)
    with conn.transaction():
        assert store.rotate(conn, Vault(BOTH)) == (4, 0, [])
    after = stored(conn)
    assert after.keys() == before.keys()
    assert not set(after.values()) & set(before.values())
    assert keys.secret_key(conn, OTHER) == form_key
    assert store.inspect(conn, Vault(OTHER)) == (4, 0, 0, [])
    with conn.transaction():
        assert store.rotate(conn, Vault(BOTH)) == (0, 4, []), "a second one changes nothing"
    assert stored(conn) == after


def leave_clear_endpoint(conn: Connection) -> None:
    conn.execute(
        "INSERT INTO webhook_endpoints (url, secret, made_by) VALUES ('https://old.example', %s, 'asha')",
        (CLEAR_SECRET,),
    )


def test_one_that_fails_changes_nothing(conn: Connection) -> None:
    keys.secret_key(conn, PRIVATE)
    endpoint(conn)
    lost = Vault(OTHER).encrypt(WEBHOOK, b"lost")
    conn.execute(
        "INSERT INTO webhook_endpoints (url, secret, made_by) VALUES ('https://x.example', %s, 'asha')",
        (lost,),
    )
    before = stored(conn)
    alone = load({"HRIMS_ENCRYPTION_KEY": KEY})
    words = "decrypts the secret of webhook endpoint 2\\. Nothing was changed"
    with pytest.raises(SecretUnreadable, match=words), conn.transaction():
        store.rotate(conn, Vault(alone))
    assert stored(conn) == before
    assert store.inspect(conn, Vault(alone)) == (3, 0, 0, ["the secret of webhook endpoint 2"])


def test_secrets_whose_key_is_lost_can_be_discarded(conn: Connection) -> None:
    form_key = keys.secret_key(conn, PRIVATE)
    endpoint(conn)
    with conn.transaction():
        done = store.rotate(conn, Vault(OTHER), discard=True)
    assert (done.rotated, done.current, len(done.discarded)) == (0, 0, 3)
    assert stored(conn) == {}
    off = conn.execute("SELECT active, removed_at IS NOT NULL FROM webhook_endpoints").fetchall()
    assert off == [(False, True)]
    assert keys.secret_key(conn, OTHER) != form_key, "a new one is made with the key that is there"


def test_readers_and_writers_go_on_during_a_rotation(conn: Connection, dsn: str, tmp_path: Path) -> None:
    settings = in_file(tmp_path)
    secret, stop, failed = keys.secret_key(conn, settings), threading.Event(), list[Exception]()
    read = threading.Semaphore(0)

    def work() -> None:
        running = Vault(settings)
        with psycopg.connect(dsn, autocommit=True) as own:
            while not stop.is_set():
                try:
                    [(token,)] = own.execute(
                        "SELECT value FROM app_secrets WHERE name = 'secret_key'"
                    ).fetchall()
                    assert running.decrypt(FORM_KEY, token.encode()) == secret.encode()
                    assert open_vault(own, settings).encrypt(WEBHOOK, b"x")
                    read.release()
                except Exception as error:  # noqa: BLE001 - any failure fails the test
                    failed.append(error)
                    return

    thread = threading.Thread(target=work)
    thread.start()
    for count in range(5):
        add_key(Vault(settings).source)
        assert all(read.acquire(timeout=30) for _ in range(3)), failed
        with conn.transaction():
            assert store.rotate(conn, Vault(settings)) == (2, 0, []), count
    stop.set()
    thread.join()
    assert failed == []
    assert store.inspect(conn, Vault(settings)) == (2, 0, 0, [])
