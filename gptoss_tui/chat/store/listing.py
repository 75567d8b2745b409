"""Kept conversations as lists for people: a table, and what a search found. Safe to show; one line each."""

from __future__ import annotations

import time

from gptoss_tui.chat.store.instances import Other, others
from gptoss_tui.chat.store.library import SHORT_ID, Library
from gptoss_tui.chat.store.rows import Listed
from gptoss_tui.chat.store.search import Match
from gptoss_tui.visible import visible_token

_TITLE = 60
_MODEL = 24
_HEADINGS = ("ID", "CHANGED", "PROMPTS", "TOKENS", "MODEL", "TITLE")


def overview(library: Library, words: str = "") -> str:
    """All conversations as a table, or those in which the words stand, each with some of the text around them."""
    listed = library.listed()
    if not words:
        way_on = "/resume ID goes on with one of them.\n" if listed else ""
        return f"{table(listed, library, deleted=False)}{way_on}"
    by_id = {one.id: one for one in listed}
    found = [found_lines(by_id[match.conversation_id], match) for match in library.search(words)]
    return "".join(found) or f"Nowhere does it say {visible_token(words, _TITLE)}.\n"


def table(listed: list[Listed], library: Library, *, deleted: bool) -> str:
    """The list as text."""
    if not listed:
        return "Nothing was deleted.\n" if deleted else "There are no conversations yet.\n"
    running = {other.id: other for other in others(library.folder)}
    rows = [_HEADINGS, *(_row(one, running) for one in listed)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines) + "\n"


def _row(one: Listed, running: dict[str, Other]) -> tuple[str, ...]:
    title = visible_token(one.title or "without a title", _TITLE)
    other = running.get(one.open_by or "")
    if other is not None:
        doing = "being finished" if other.doing == "finishing" else "open"
        title += f" ({doing}, process {other.pid})"
    elif one.dropped is not None:
        title += " (line dropped)"
    return (
        one.id[:SHORT_ID],
        date(one.updated if one.deleted is None else one.deleted),
        f"{one.prompts:,}",
        f"{one.tokens:,}",
        visible_token(one.model, _MODEL),
        title,
    )


def date(seconds: float) -> str:
    """Unix seconds as local date and time."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


def found_lines(one: Listed, match: Match) -> str:
    """What a search found: the conversation, and some of the text under it."""
    return (
        f"{one.id[:SHORT_ID]}  {date(one.updated)}  {visible_token(one.title or 'without a title', _TITLE)}\n"
        f"          {visible_token(match.excerpt, 200)}\n"
    )
