"""The eight lines that docs/webhooks.md gives receivers verify what we sign, and nothing else."""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from hrims.config import PROJECT
from hrims.webhooks import signing

BODY, SECRET = b'{"type": "webhook.test"}', b"an invented secret of 32 letters"


@pytest.fixture
def verify() -> Callable[..., bool]:
    [shown] = re.findall(r"```python\n(.*?)```", (PROJECT / "docs/webhooks.md").read_text(), re.DOTALL)
    made: dict[str, Any] = {}
    exec(shown, made)  # noqa: S102 - our own documentation
    verify: Callable[..., bool] = made["verify"]
    return verify


def test_it_works_and_refuses_what_was_altered(verify: Callable[..., bool]) -> None:
    headers = signing.headers("msg_1", int(time.time()), BODY, SECRET)
    secret = signing.written(SECRET)
    assert verify(headers, BODY, secret)
    assert not verify(headers, BODY + b" ", secret)
    assert not verify(headers | {"webhook-id": "msg_2"}, BODY, secret)
    assert not verify(headers, BODY, signing.written(SECRET[::-1]))


def test_it_refuses_what_is_old(verify: Callable[..., bool]) -> None:
    headers = signing.headers("msg_1", int(time.time()) - 3600, BODY, SECRET)
    assert not verify(headers, BODY, signing.written(SECRET))
