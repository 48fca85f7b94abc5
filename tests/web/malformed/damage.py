"""Damages of a valid request, for Hypothesis. Input: a route. Output: requests with something wrong in each.

The fields keep their marks for ids of objects until ``encode`` fills them.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import quote_from_bytes

from hypothesis import strategies as st

from hrims.web.core.route import Route
from tests.web.malformed.valid import fields_of
from tests.web.malformed.values import CONTENT_TYPES, NAMES, RAW, ids, json_values, texts

Pairs = tuple[tuple[str, Any], ...]

JSON, FORM, MULTIPART = "json", "form", "multipart"

BOUNDARY: Final = "boundary7"

TYPES: Final = {
    JSON: "application/json",
    FORM: "application/x-www-form-urlencoded",
    MULTIPART: f"multipart/form-data; boundary={BOUNDARY}",
}


def keep(body: bytes) -> bytes:
    """Return the body as it is."""
    return body


@dataclass(frozen=True)
class Sent:
    """A request: its fields, how they are encoded, and what is done to the bytes afterwards."""

    kind: str
    encoding: str
    fields: Pairs
    arguments: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    content_type: str | None = "usual"
    mangle: Callable[[bytes], bytes] = keep
    missing_bytes: int = 0
    by_token: bool = False

    def body(self, arguments: Mapping[str, str]) -> bytes:
        """Return the body with the ids of these objects."""
        filled = [(name, fill(value, arguments)) for name, value in self.fields]
        return self.mangle(ENCODERS[self.encoding](filled) if filled else b"")

    @property
    def type(self) -> str | None:
        """Return the content type."""
        if self.content_type == "usual":
            return TYPES[self.encoding] if self.fields else None
        return self.content_type


def fill(value: Any, arguments: Mapping[str, str]) -> Any:
    """Put the ids of objects in the place of marks. An id of an institution is a number."""
    if isinstance(value, list):
        return [fill(item, arguments) for item in value] if len(value) < 10 else value
    if value == "{institution_id}":
        return int(arguments.get("institution_id", 0))
    if not isinstance(value, str) or "{" not in value:
        return value
    for name, argument in arguments.items():
        value = value.replace(f"{{{name}}}", argument)
    return value


Damage = Callable[[Sent], st.SearchStrategy[Sent]]


def valid_request(route: Route, encoding: str | None = None, *, by_token: bool = False) -> Sent:
    """Return a request without damage."""
    usual = JSON if route.url.startswith("/api/") else FORM
    return Sent("valid", encoding or usual, tuple(fields_of(route).items()), by_token=by_token)


def requests_of(route: Route) -> st.SearchStrategy[Sent]:
    """Return the malformed requests of a route."""
    is_api = route.url.startswith("/api/")
    valid = st.builds(
        lambda encoding, by_token: valid_request(route, encoding, by_token=by_token),
        st.just(JSON) if is_api else st.sampled_from([FORM, MULTIPART]),
        st.booleans() if is_api else st.just(value=False),
    )
    has_fields = bool(fields_of(route))
    damages: list[Damage] = [_raw, _content_type, _query, _shorter_than_announced]
    if has_fields:
        damages += [_wrong] * 5 + [_missing, _unknown, _repeated, _cut, _garbled]
    if has_fields and is_api:
        damages += [_nested, _wrong_in_another_encoding]
    if "<" in route.url:
        damages += [_arguments(route)] * (2 if has_fields else 12)
    return st.sampled_from(damages).flatmap(valid.flatmap)


def _wrong(sent: Sent) -> st.SearchStrategy[Sent]:
    """Give one field another value."""
    values = json_values if sent.encoding == JSON else texts
    return st.builds(_put, st.just(sent), st.integers(0, len(sent.fields) - 1), values)


def _put(sent: Sent, place: int, value: Any) -> Sent:
    fields = list(sent.fields)
    fields[place] = (fields[place][0], value)
    return replace(sent, kind=f"wrong {fields[place][0]}", fields=tuple(fields))


def _wrong_in_another_encoding(sent: Sent) -> st.SearchStrategy[Sent]:
    """Give one field a text that is refused in UTF-8, in an encoding where its bytes look different."""
    texts_ = st.sampled_from(["a\0b", "\ud800", "\0"])
    mangles = st.sampled_from(["utf-16", "utf-16-le", "utf-32"]).map(_recode)
    wrong = st.builds(_put, st.just(sent), st.integers(0, len(sent.fields) - 1), texts_)
    return st.builds(lambda sent, mangle: replace(sent, mangle=mangle), wrong, mangles)


def _missing(sent: Sent) -> st.SearchStrategy[Sent]:
    def leave_out(place: int) -> Sent:
        return replace(
            sent,
            kind=f"without {sent.fields[place][0]}",
            fields=sent.fields[:place] + sent.fields[place + 1 :],
        )

    return st.integers(0, len(sent.fields) - 1).map(leave_out)


def _unknown(sent: Sent) -> st.SearchStrategy[Sent]:
    values = json_values if sent.encoding == JSON else texts
    names = st.sampled_from(NAMES)
    return st.builds(
        lambda name, value: replace(sent, kind="unknown field", fields=(*sent.fields, (name, value))),
        names,
        values,
    )


def _repeated(sent: Sent) -> st.SearchStrategy[Sent]:
    values = json_values if sent.encoding == JSON else texts

    def repeat(place: int, value: Any, *, is_first: bool) -> Sent:
        again = (sent.fields[place][0], value)
        fields = (again, *sent.fields) if is_first else (*sent.fields, again)
        return replace(sent, kind=f"repeated {again[0]}", fields=fields)

    return st.builds(repeat, st.integers(0, len(sent.fields) - 1), values, is_first=st.booleans())


def _cut(sent: Sent) -> st.SearchStrategy[Sent]:
    """Cut the body off, but for a part of it."""
    return st.floats(0, 0.999).map(
        lambda part: replace(sent, kind="cut", mangle=lambda body: body[: int(len(body) * part)])
    )


def _garbled(sent: Sent) -> st.SearchStrategy[Sent]:
    """Put bytes into the body, or encode it in another way."""
    mangles = st.one_of(
        st.builds(_insert, st.floats(0, 1), st.binary(min_size=1, max_size=8)),
        st.sampled_from(["utf-16", "utf-32", "utf-7", "cp500"]).map(_recode),
        st.just(lambda body: b"\xef\xbb\xbf" + body),
        st.just(lambda body: body + body),
        st.just(lambda body: body[::-1]),
        st.just(lambda body: body.replace(BOUNDARY.encode(), b"other", 1)),
        st.just(lambda body: body.replace(b"\r\n", b"\n")),
    )
    return mangles.map(lambda mangle: replace(sent, kind="garbled", mangle=mangle))


def _insert(part: float, inserted: bytes) -> Callable[[bytes], bytes]:
    def insert(body: bytes) -> bytes:
        place = int(len(body) * part)
        return body[:place] + inserted + body[place:]

    return insert


def _recode(encoding: str) -> Callable[[bytes], bytes]:
    return lambda body: body.decode("utf-8", "replace").encode(encoding)


def _raw(sent: Sent) -> st.SearchStrategy[Sent]:
    """Send another body instead."""
    bodies = st.sampled_from(RAW) | st.binary(max_size=200)
    kinds = st.sampled_from([*TYPES.values(), "multipart/form-data; boundary=x"])
    return st.builds(
        lambda body, type_: replace(sent, kind="raw", mangle=lambda _: body, content_type=type_),
        bodies,
        kinds,
    )


def _nested(sent: Sent) -> st.SearchStrategy[Sent]:
    """Nest one field so deep that a recursive parser ends."""
    name = json.dumps(sent.fields[0][0]).encode()
    return st.builds(
        lambda depth, opening: replace(
            sent, kind="nested", mangle=lambda _: b"{%s: %s" % (name, opening * depth)
        ),
        st.sampled_from([100, 2_000, 200_000]),
        st.sampled_from([b"[", b'{"a":']),
    )


def _content_type(sent: Sent) -> st.SearchStrategy[Sent]:
    return st.sampled_from(CONTENT_TYPES).map(
        lambda type_: replace(sent, kind=f"content type {type_}", content_type=type_)
    )


def _query(sent: Sent) -> st.SearchStrategy[Sent]:
    names = st.sampled_from(["page", "name", "done", "find", "next", "none", "csrf_token", "%ff", "%00"])
    return st.builds(lambda name, value: replace(sent, kind="query", query=f"?{name}={value}"), names, ids)


def _shorter_than_announced(sent: Sent) -> st.SearchStrategy[Sent]:
    return st.integers(1, 10_000).map(
        lambda more: replace(sent, kind="shorter than announced", missing_bytes=more)
    )


def _arguments(route: Route) -> Callable[[Sent], st.SearchStrategy[Sent]]:
    names = [part.partition(">")[0].rpartition(":")[2] for part in route.url.split("<")[1:]]
    return lambda sent: st.builds(
        lambda name, value: replace(sent, kind=f"wrong {name}", arguments={name: value}),
        st.sampled_from(names),
        ids,
    )


def _encode_json(fields: list[tuple[str, Any]]) -> bytes:
    """Return a JSON object, also one with repeated names, with NaN, and with numbers of any length."""
    parts = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in fields]
    return f"{{{', '.join(parts)}}}".encode()


def _to_bytes(value: Any) -> bytes:
    return str(value).encode("utf-8", "surrogatepass")


def _encode_form(fields: list[tuple[str, Any]]) -> bytes:
    return "&".join(
        f"{quote_from_bytes(_to_bytes(name))}={quote_from_bytes(_to_bytes(value))}" for name, value in fields
    ).encode()


def _encode_multipart(fields: list[tuple[str, Any]]) -> bytes:
    parts = [
        b'--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
        % (BOUNDARY.encode(), _to_bytes(name), _to_bytes(value))
        for name, value in fields
    ]
    return b"".join(parts) + b"--%s--\r\n" % BOUNDARY.encode()


ENCODERS: Final[dict[str, Callable[[list[tuple[str, Any]]], bytes]]] = {
    JSON: _encode_json,
    FORM: _encode_form,
    MULTIPART: _encode_multipart,
}
