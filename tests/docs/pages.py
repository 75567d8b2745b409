"""README.md and docs/*.md, taken apart: blocks of code, commands, code in the running text, links. Runs nothing.

What counts as a command, by rule:

- Every line of a fenced block in `sh`, comments aside.
- Of an indented block, or a fenced one without a language: the lines that begin with `$ `; where there is none, those
  that begin with a program that the docs call, and those that look like a command (a word, then an option).

A backslash at the end goes on with the next line. In an indented block three spaces end a command: what
follows explains it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))

PROGRAMS = frozenset(
    [
        "gptoss",
        "python",
        "python3",
        "pip",
        "uv",
        "uvx",
        "cat",
        "printf",
        "echo",
        "export",
        "unset",
        "jq",
        "ls",
        "cd",
        "mkdir",
        "rm",
        "grep",
        "git",
        "brew",
        "ssh",
        "scp",
        "mosh",
        "rsync",
        "tmux",
        "screen",
        "sudo",
        "sysctl",
        "pmset",
        "caffeinate",
        "networksetup",
        "scutil",
        "system_profiler",
        "hf",
        "apt",
        "apt-get",
        "curl",
        "kill",
        "infocmp",
        "tic",
    ]
)
"""What a line may begin with to be a command, wherever it stands."""

_LOOKS_LIKE_ONE = re.compile(r"[a-z][a-z0-9_.-]* (\S+ )*--?[a-z]")


@dataclass(frozen=True, slots=True)
class Block:
    """Code that stands by itself."""

    page: Path
    line: int
    """Of its first line, from 1."""
    language: str | None
    """As the fence names it; empty for a fence without; None where it is indented."""
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join(self.lines) + "\n"


@dataclass(frozen=True, slots=True)
class Shown:
    """One command as a page shows it."""

    page: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}: {self.text}"


@cache
def blocks(page: Path) -> tuple[Block, ...]:
    """The code of a page."""
    found: list[Block] = []
    lines = page.read_text(encoding="utf-8").splitlines()
    at = 0
    while at < len(lines):
        if fence := re.match(r"(\s*)```(\w*)", lines[at]):
            end = next(n for n in range(at + 1, len(lines)) if lines[n].strip() == "```")
            inner = (line.removeprefix(fence[1]) for line in lines[at + 1 : end])
            found.append(Block(page, at + 2, fence[2], tuple(inner)))
            at = end + 1
        elif lines[at].startswith("    ") and (at == 0 or not lines[at - 1].strip()):
            end = at
            while end < len(lines) and (lines[end].startswith("    ") or not lines[end].strip()):
                end += 1
            found.append(Block(page, at + 1, None, tuple(line[4:] for line in lines[at:end])))
            at = end
        else:
            at += 1
    return tuple(found)


def prose(page: Path) -> Iterator[tuple[int, str]]:
    """Number and text of each line that is no code by itself."""
    inside = {block.line + at for block in blocks(page) for at in range(len(block.lines))}
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if number not in inside and not line.strip().startswith("```"):
            yield number, line


def spans(page: Path) -> Iterator[tuple[int, str]]:
    """Number and text of every piece of `code` in the running text."""
    for number, line in prose(page):
        for ticks, plain in re.findall(r"``\s?(.+?)\s?``|`([^`]+)`", line):
            yield number, ticks or plain


def commands(page: Path) -> Iterator[Shown]:
    """Every command of a page."""
    for block in blocks(page):
        if block.language in ("", None, "sh", "console"):
            yield from _commands(block)


def _commands(block: Block) -> Iterator[Shown]:
    prompted = any(line.startswith("$ ") for line in block.lines)
    at = 0
    while at < len(block.lines):
        first, line = at, block.lines[at]
        at += 1
        if not (_is_command(line, prompted) or (block.language == "sh" and line.strip() and line[0] != "#")):
            continue
        while line.endswith("\\") and at < len(block.lines):
            line = f"{line[:-1].rstrip()} {block.lines[at].strip()}"
            at += 1
        line = line.removeprefix("$ ").strip()
        if block.language != "sh":
            line = _until_gap(line)
        yield Shown(block.page, block.line + first, line)


def _until_gap(line: str) -> str:
    """The line up to three spaces that stand in no quotes."""
    quote = ""
    for at, char in enumerate(line):
        if char in "'\"" and quote in ("", char):
            quote = "" if quote else char
        if not quote and line.startswith("   ", at):
            return line[:at]
    return line


def _is_command(line: str, prompted: bool) -> bool:
    if prompted:
        return line.startswith("$ ")
    words = line.split()
    while words and re.match(r"[A-Z_]+=", words[0]):
        words = words[1:]
    return bool(words) and (program(words[0]) in PROGRAMS or _LOOKS_LIKE_ONE.match(line) is not None)


def program(word: str) -> str:
    """The program that a command's first word names, wherever it lies."""
    return word.removeprefix(".venv/bin/")
