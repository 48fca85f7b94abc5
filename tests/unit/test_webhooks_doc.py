"""The lines of docs/how-to/receive-webhooks.md verify what we sign, and nothing else."""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from hrims.webhooks.delivery import signing
from tests import PROJECT

BODY, SECRET = b'{"type": "webhook.test"}', b"an invented secret of 32 letters"


@pytest.fixture
def verify() -> Callable[..., bool]:
    page = (PROJECT / "docs/how-to/receive-webhooks.md").read_text(encoding="utf-8")
    [shown] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    made: dict[str, Any] = {}
    exec(shown, made)  # noqa: S102 - our own documentation
    verify: Callable[..., bool] = made["verify"]
    return verify


def test_it_works_and_refuses_what_was_altered(verify: Callable[..., bool]) -> None:
    headers = signing.headers("msg_1", int(time.time()), BODY, SECRET)
    secret = signing.format_secret(SECRET)
    assert verify(headers, BODY, secret)
    assert not verify(headers, BODY + b" ", secret)
    assert not verify(headers | {"webhook-id": "msg_2"}, BODY, secret)
    assert not verify(headers, BODY, signing.format_secret(SECRET[::-1]))


def test_it_refuses_an_old_signature(verify: Callable[..., bool]) -> None:
    headers = signing.headers("msg_1", int(time.time()) - 3600, BODY, SECRET)
    assert not verify(headers, BODY, signing.format_secret(SECRET))
