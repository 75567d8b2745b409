"""Prompts of several lines where a line is all that can be entered: three quotes begin one and end it. Pure."""

from __future__ import annotations

BLOCK = '"""'
"""Begins and ends a prompt of several lines."""


def block_open(text: str) -> bool:
    '''Whether the text begins with """ and the block is not closed yet.'''
    stripped = text.strip()
    return stripped.startswith(BLOCK) and (len(stripped) < 2 * len(BLOCK) or not stripped.endswith(BLOCK))


def unblocked(text: str) -> str:
    '''The prompt without the """ around it.'''
    stripped = text.strip()
    if stripped.startswith(BLOCK) and not block_open(text):
        return stripped[len(BLOCK) : -len(BLOCK)].strip("\n")
    return text
