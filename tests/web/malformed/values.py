"""Values that no field expects, for Hypothesis. Output: strategies of JSON values, texts, ids and bytes."""

from typing import Any, Final

from hypothesis import strategies as st

HUGE: Final = "9" * 5000

NUMBERS: Final = [
    0, -1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 2**64, 10**30, 10**400,
    1e308, 0.1, -0.0, float("nan"), float("inf"), float("-inf"),
]  # fmt: skip

TEXTS: Final = [
    "", " ", "\0", "a\0b", "\ud800", "x\udfffy", "\ufeff", "\u202eabc", "\u200b", "\r\nX-Forged: 1",
    "\x1b[31m", "１２３", "٣", "²", "NaN", "Infinity", "-Infinity", "null", "true", "1e400", "1e3", "0x10",
    "1_000", "-0", "+1", "9" * 19, "9" * 21, HUGE, "a" * 300, "ä" * 20_000, "a" * 1_000_001, "{}",
    "%00", "{0}", "{mark}", "'; DROP TABLE users; --", "<script>", "=1+1", "../../etc/passwd",
    "\U0001f4a9" * 50,
    "e\u0301", "[]", "1.5",
    "${7*7}", "\\u0000", "2026-02-30", "25:61", "* * * * *", "99 99 99 99 99", "Mars/Phobos", "http://[",
    "http://a:99999/", "javascript:alert(1)", "file:///etc/passwd", "http://\u0661.example", "https://a b/",
    "http://user:pw@/", "xn--", "http://xn--/", "//", "/\\evil.example", "\t1", "1\n",
]  # fmt: skip

IDS: Final = [
    "0", "-1", str(2**63 - 1), str(2**63), str(2**64), "99999", "abc", "１２", "%D9%A3", "%00", "%ff",
    "%ed%a0%80", "%20", "1%20", "+1", "1.0", "1e3", "0x10", "00001", "1_0", "null", "%2e%2e", "%F0%9F", "%25",
    "%0d%0a", "a" * 300, "9" * 5000, "%C2%B2", "%3Cscript%3E", "1;2", "-", "{mark}",
    "00000000-0000-0000-0000-000000000000", "%2F", "%zz",
]  # fmt: skip
"""Arguments of a URL, percent-encoded."""

NAMES: Final = [
    "none",
    "",
    "__class__",
    "\0",
    "ä",
    "\ud800",
    "a" * 5000,
    "csrf_token",
    "id",
    "role",
    "name[]",
]
"""Names of fields that no request has."""

CONTENT_TYPES: Final = [
    None, "", "text/plain", "application/json", "application/x-www-form-urlencoded", "multipart/form-data",
    "multipart/form-data; boundary=", "multipart/form-data; boundary=x", "multipart/mixed; boundary=x",
    "application/json; charset=utf-99", "application/json; charset=utf-7", "application/json; charset=",
    "application/x-www-form-urlencoded; charset=utf-16", "application/x-www-form-urlencoded; charset=none",
    "application/json, text/plain", "application/json, application/json", "application/xml", "nonsense",
    "application/json;;;", "multipart/form-data; boundary=" + "b" * 300, "\xff\xfe", "application/msgpack",
    'multipart/form-data; boundary="a\\"b"', "multipart/form-data; boundary*=utf-8''%ff",
    "application/x-www-form-urlencoded, multipart/form-data; boundary=x",
]  # fmt: skip

RAW: Final = [
    b"", b" ", b"null", b"true", b"[]", b"{}", b"0", b'""', b"[1", b'{"', b"{'a': 1}", b"{a: 1}",
    b"\xff\xfe{\x00}\x00", b"\xef\xbb\xbf{}", b"\x00", b"\xff" * 100, b"NaN", b"-Infinity", b"1e400",
    b"[" * 100_000, b'{"a":' * 50_000, b"[" * 500 + b"]" * 500, HUGE.encode(),
    b'{"institutionId": ' + HUGE.encode() + b"}", b"{} {}", b"{},",
    b'{"a": "\\ud800"}', b'{"\\u0000": 1}', b'{"a": "\xed\xa0\x80"}', b"a" * 2_000_000,
    b"&" * 5000, b"=" * 5000, b"&".join([b"a=1"] * 3000), b"%", b"a=%", b"%ff=%ff",
    b"--x\r\n", b"--x--\r\n", b"--x\r\n\r\n\r\n--x--",
    b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1',
    b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--\r\n",
    b'--x\r\nContent-Disposition: form-data; name="why"; filename="why"\r\n\r\n1\r\n--x--\r\n',
    b"--x\r\n" + b"A: b\r\n" * 5000, b"<?xml version='1.0'?><a/>", b"\x80\x04N.", b"--\r\n",
]  # fmt: skip
"""Whole bodies that are wrong everywhere."""


def _nest(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


texts: st.SearchStrategy[str] = st.sampled_from(TEXTS) | st.text(max_size=30)

ids = st.sampled_from(IDS) | st.integers().map(str)

_scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(NUMBERS) | texts

json_values: st.SearchStrategy[Any] = (
    _scalars
    | st.lists(_scalars, max_size=3)
    | st.dictionaries(texts, _scalars, max_size=2)
    | st.integers(5, 900).map(_nest)
    | st.integers(9_000, 12_000).map(lambda length: [1] * length)
)
