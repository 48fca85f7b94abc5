"""The documents. Input: the Markdown files. Output: their blocks, links, anchors and inline code."""

import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

from tests import PROJECT

PAGES = sorted([*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md")])

FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
INLINE = re.compile(r"`([^`\n]+)`")
COMMENT = re.compile(r"(^|\s)#\s.*$")


class Block(NamedTuple):
    """A fenced block."""

    language: str
    text: str


def name_of(page: Path) -> str:
    """Return the path of a page in the project."""
    return page.relative_to(PROJECT).as_posix()


def blocks_of(page: Path) -> list[Block]:
    """Return the fenced blocks of a page."""
    return [Block(language, dedent(text)) for _, language, text in FENCE.findall(read(page))]


def commands_of(page: Path) -> list[str]:
    """Return the commands of the shell blocks of a page, without comments."""
    text = "".join(block.text for block in blocks_of(page) if block.language == "sh")
    lines = (COMMENT.sub("", line).rstrip() for line in text.replace("\\\n", "").splitlines())
    return [re.sub(r" +", " ", line) for line in lines if line]


def links_of(page: Path) -> list[str]:
    """Return the targets of the links of a page that stay in the project."""
    return [link for link in LINK.findall(prose_of(page)) if "://" not in link]


def inline_code(page: Path) -> list[str]:
    """Return the inline code of a page. Code may continue on the next line."""
    return INLINE.findall(re.sub(r"(?<!\n)\n(?!\n)", " ", prose_of(page)))


def anchors_of(page: Path) -> Iterator[str]:
    """Return the anchors of the headings of a page, as GitHub makes them."""
    for heading in re.findall(r"^#+ (.+)$", prose_of(page), re.MULTILINE):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def prose_of(page: Path) -> str:
    """Return the text of a page without its fenced blocks."""
    return FENCE.sub("", read(page))


def read(page: Path) -> str:
    """Return the text of a page."""
    return page.read_text(encoding="utf-8")
