"""Secrets are encrypted for one purpose, with keys from the environment or from a file of this machine."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrims import log
from hrims.config import load
from hrims.errors import ConfigError
from hrims.vault import Vault, add_key, is_encrypted, new_key
from hrims.vault.errors import SecretUnreadable
from tests.support.encryption import KEY, OTHER_KEY


def vault(keys: str = KEY, **more: str) -> Vault:
    return Vault(load({"HRIMS_ENCRYPTION_KEY": keys, **more}))


def vault_in(folder: Path) -> Vault:
    return Vault(load({"HRIMS_STATE_DIR": str(folder)}))


@given(st.text(max_size=20).filter(lambda purpose: "\0" not in purpose), st.binary(max_size=200))
def test_it_works(purpose: str, secret: bytes) -> None:
    token = vault().encrypt(purpose, secret)
    assert vault().decrypt(purpose, token) == secret
    assert is_encrypted(token)
    assert not is_encrypted(secret)


def test_a_token_is_worth_nothing_elsewhere() -> None:
    token = vault().encrypt("HRIMS token for https://hrims.example", b"s3cret")
    for purpose in ("webhook", "HRIMS token for https://hrims.evil.example", ""):
        with pytest.raises(SecretUnreadable, match="another purpose or address"):
            vault().decrypt(purpose, token)


def test_another_key_is_refused_in_words_without_material() -> None:
    token = vault().encrypt("webhook", b"s3cret")
    for broken in (token, b"", b"gAAAAA", token[:-4], token.swapcase(), bytes(200)):
        with pytest.raises(SecretUnreadable, match="Give every machine the same HRIMS_ENC") as refused:
            vault(OTHER_KEY).decrypt("webhook", broken)
        assert refused.value.__context__ is None
        assert refused.value.__cause__ is None
        for secret in (KEY, OTHER_KEY, token.decode()):
            assert secret not in str(refused.value)


def test_the_first_key_encrypts_and_all_decrypt() -> None:
    old = vault(KEY).encrypt("webhook", b"s3cret")
    both = vault(f"{OTHER_KEY}, {KEY}")
    assert both.decrypt("webhook", old) == b"s3cret"
    assert vault(OTHER_KEY).decrypt("webhook", both.encrypt("webhook", b"other")) == b"other"
    renewed = both.rotate(old)
    assert renewed
    assert vault(OTHER_KEY).decrypt("webhook", renewed) == b"s3cret"
    assert both.rotate(renewed) is None
    assert not vault(KEY).can_read(renewed)


@pytest.mark.parametrize(
    "keys", ["secret", KEY[:-1], f"{KEY};{OTHER_KEY}", f"{KEY},x", KEY.replace("0", "+")]
)
def test_what_is_no_key_is_refused_without_repeating_it(keys: str) -> None:
    with pytest.raises(ConfigError, match="give keys that `hrims db new-key` prints") as refused:
        load({"HRIMS_ENCRYPTION_KEY": keys})
    assert keys not in str(refused.value)


def test_keys_can_stand_on_lines_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(f"{OTHER_KEY}\n{KEY}\n")
    from_file = Vault(load({"HRIMS_ENCRYPTION_KEY_FILE": str(tmp_path / "keys")}))
    assert from_file.decrypt("webhook", vault(KEY).encrypt("webhook", b"s3cret")) == b"s3cret"


def test_no_key_shows_in_logs_and_reprs() -> None:
    settings = load({"HRIMS_ENCRYPTION_KEY": f"{KEY},{OTHER_KEY}"})
    log.configure(settings)
    assert log.masked(f"{KEY} {OTHER_KEY}") == "*** ***"
    assert KEY not in repr(settings) + repr(Vault(settings))


# The key file of the state directory


def test_without_a_file_nothing_is_encrypted(tmp_path: Path) -> None:
    with pytest.raises(SecretUnreadable, match="this process has no key"):
        vault_in(tmp_path).encrypt("webhook", b"s3cret")
    assert not list(tmp_path.iterdir())


def test_the_file_belongs_to_its_owner_alone(tmp_path: Path) -> None:
    made = vault_in(tmp_path / "state")
    made.source.create()
    [file] = (tmp_path / "state").iterdir()
    assert file == made.source.file
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert not made.source.is_exposed
    file.chmod(0o640)
    assert made.source.is_exposed
    made.encrypt("webhook", b"s3cret")
    assert log.masked(file.read_text()) == "***\n"


def test_processes_that_start_at_once_have_one_key(tmp_path: Path) -> None:
    def encrypt(_: int) -> bytes:
        own = vault_in(tmp_path)
        own.source.create()
        return own.encrypt("webhook", b"s3cret")

    with ThreadPoolExecutor(12) as pool:
        tokens = list(pool.map(encrypt, range(24)))
    assert all(vault_in(tmp_path).is_current(token) for token in tokens)
    assert len(list(tmp_path.iterdir())) == 1, "no draft is left behind"


def test_a_running_process_learns_of_a_new_key(tmp_path: Path) -> None:
    running = vault_in(tmp_path)
    running.source.create()
    old = running.encrypt("webhook", b"s3cret")
    file = add_key(vault_in(tmp_path).source)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(file.read_text().splitlines()) == 2
    assert running.decrypt("webhook", old) == b"s3cret"
    assert not running.is_current(old)
    assert vault_in(tmp_path).is_current(running.encrypt("webhook", b"new"))


def test_a_key_of_the_environment_is_not_added_to_a_file(tmp_path: Path) -> None:
    with pytest.raises(SecretUnreadable, match="HRIMS_ENCRYPTION_KEY is set"):
        add_key(vault(HRIMS_STATE_DIR=str(tmp_path)).source)
    with pytest.raises(SecretUnreadable, match="there is no key in"):
        add_key(vault_in(tmp_path).source)
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_used_is_refused_in_words(tmp_path: Path) -> None:
    broken = vault_in(tmp_path)
    file = broken.source.file
    assert file
    for content in (b"", b"s3cret", b"\xff\xfe"):
        file.write_bytes(content)
        with pytest.raises(SecretUnreadable, match="cannot be used") as refused:
            broken.encrypt("webhook", b"x")
        assert "s3cret" not in str(refused.value)
    file.unlink()
    file.mkdir()
    with pytest.raises(SecretUnreadable, match="IsADirectoryError"):
        broken.encrypt("webhook", b"x")


def test_a_folder_that_cannot_be_written_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    with pytest.raises(SecretUnreadable, match="cannot be saved in"):
        vault_in(tmp_path / "state").source.create()


def test_a_new_key_is_a_key() -> None:
    keys: Any = {new_key() for _ in range(3)}
    assert len(keys) == 3
    load({"HRIMS_ENCRYPTION_KEY": ",".join(keys)})
