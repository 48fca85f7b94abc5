"""Which passwords are refused, in words, and which are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrims.access import password_rules, passwords
from hrims.errors import InvalidInput
from hrims.installation import COMMON_PASSWORDS
from tests import PROJECT

SHORT = "12 to 256 characters. Nothing was changed."
NAMED = "must not contain the user name, forwards or backwards. Nothing was changed."
EASY = "easy to guess: it is made of common passwords, repeats or series"


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("", SHORT),
        ("a wet soon!", SHORT),
        ("x" * 257, SHORT),
        # One character that stands for 18. To judge 4,608 would take seconds.
        ("\ufdfa" * 256, SHORT),
        ("\ufdfa" * 15, SHORT),
        # What the previous version accepted.
        ("password123", SHORT),
        ("weak3weak3", SHORT),
        ("weak3weak3weak3", EASY),
        ("Password1234", EASY),
        ("PASSWORDPASSWORD", EASY),
        ("P@ssw0rd2026!", EASY),
        ("pa55word!2026", EASY),
        ("iloveyou12345", EASY),
        ("letmeinletmein1", EASY),
        ("dragonmonkey123", EASY),
        ("aaaaaaaaaaaaaaaa", EASY),
        ("abcabcabcabcabcabc", EASY),
        ("abcdefghijklmnop", EASY),
        ("9876543210987654", EASY),
        ("qwertyuiop1234567890", EASY),
        ("ｐａｓｓｗｏｒｄ１２３４", EASY),
        ("Zanzibar2026!", EASY),
        ("serikali-serikali", EASY),
        ("juma.makame.1", NAMED),
        ("7emakam.amuj7", NAMED),
        ("This is Juma.Makame!", NAMED),
        ("makame-12345!", EASY),
    ],
)
def test_a_weak_password_is_refused_in_words(password: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words.replace(".", r"\.")) as refused:
        password_rules.check(password, "juma.makame")
    assert refused.value.code == "bad_password"
    assert not password or password not in str(refused.value)


@pytest.mark.parametrize(
    "password",
    [
        "a wet monsoon",
        "correct horse battery staple",
        "mti wa pili é",
        "mango-kettle-boat",
        "tr7#kQ!x9vLm",
        "a makame of words",
        "x" * 3 + "tr7#kQ!x9vLm" * 10,
    ],
)
def test_a_strong_password_is_accepted(password: str) -> None:
    password_rules.check(password, "juma.makame")


@pytest.mark.parametrize("name", ["abc", "ab"])
def test_a_short_name_may_be_part_of_a_password(name: str) -> None:
    password_rules.check(f"kettle {name} mango", name)


@given(st.text(min_size=12, max_size=256))
def test_any_text_is_accepted_or_refused(password: str) -> None:
    units = password_rules.count_units(password)
    assert 0 < units <= len(password)
    try:
        password_rules.check(password, "juma")
    except InvalidInput as refused:
        assert refused.code == "bad_password"  # noqa: PT017 - both results are right


@given(st.text(min_size=1, max_size=30), st.text(max_size=30))
def test_more_characters_never_make_it_weaker(text: str, more: str) -> None:
    assert password_rules.count_units(text + more) >= password_rules.count_units(text)


def test_generated_passwords_are_accepted() -> None:
    for _ in range(200):
        password_rules.check(passwords.generate(), "admin")


def test_the_list_has_its_license_and_enough_words() -> None:
    lines = COMMON_PASSWORDS.read_text(encoding="utf-8").splitlines()
    words = [line for line in lines if not line.startswith("#")]
    assert "Copyright (c) Django Software Foundation" in "\n".join(lines[:10])
    assert len(words) > 10_000
    assert len(set(words)) == len(words)
    name = str(COMMON_PASSWORDS.relative_to(PROJECT))
    assert f'"/{name}"' in (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
