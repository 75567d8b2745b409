"""What `/help` prints: names and what they do, in two columns where the window is wide enough. Pure functions."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

LEAST = 32
"""Cells that an explanation needs beside its name; with fewer it stands under it."""
_UNDER = "    "


def two_columns(rows: Iterable[tuple[str, str]], width: int) -> list[str]:
    """(name, explanation) as lines of at most `width` cells; what is broken goes on under its own column."""
    listed: Sequence[tuple[str, str]] = list(rows)
    wide = max((len(name) for name, _ in listed), default=0) + 2
    if width - wide >= LEAST:
        return [line for name, text in listed for line in _wrapped(text, width, f"{name:<{wide}}", " " * wide)]
    return [line for name, text in listed for line in (name, *_wrapped(text, width, _UNDER, _UNDER))]


def _wrapped(text: str, width: int, first: str, hanging: str) -> list[str]:
    return textwrap.wrap(text, width, initial_indent=first, subsequent_indent=hanging, break_on_hyphens=False)
