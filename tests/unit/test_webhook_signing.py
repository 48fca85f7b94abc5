"""Signatures as Standard Webhooks' own libraries make them."""

import base64

from hrims.webhooks.delivery import signing

SECRET = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
KEY, AT, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
"""The vector that the specification's libraries test with."""


def test_it_signs_as_the_published_vector_does() -> None:
    assert signing.headers(KEY, AT, BODY, SECRET) == {
        "webhook-id": KEY,
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_every_part_is_signed() -> None:
    signed = signing.signature(KEY, AT, BODY, SECRET)
    assert signing.signature(KEY + "x", AT, BODY, SECRET) != signed
    assert signing.signature(KEY, AT + 1, BODY, SECRET) != signed
    assert signing.signature(KEY, AT, BODY + b" ", SECRET) != signed
    assert signing.signature(KEY, AT, BODY, SECRET[1:]) != signed


def test_a_secret_is_written_as_receivers_expect_it() -> None:
    assert signing.format_secret(SECRET) == "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
