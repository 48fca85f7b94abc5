"""Reads workbooks. Input: the bytes of an XLSX file. Output: the texts of its parts, which are compressed."""

import io
import zipfile
from collections.abc import Iterator


def unpack(book: bytes) -> Iterator[str]:
    """Yield the text of each part."""
    with zipfile.ZipFile(io.BytesIO(book)) as files:
        for name in files.namelist():
            yield files.read(name).decode(errors="replace")
