"""Kept conversations as `gptoss sessions` shows them: a table, what a search found, one as text, one as JSON fields."""

from __future__ import annotations

import time

from gptoss_tui.chat.store.codec import Archive
from gptoss_tui.chat.store.instances import Other, others
from gptoss_tui.chat.store.library import SHORT_ID, Library
from gptoss_tui.chat.store.rows import Listed
from gptoss_tui.chat.store.search import Match
from gptoss_tui.chat.tree import Node
from gptoss_tui.cli.jsonl import Fields
from gptoss_tui.visible import visible_token

_TITLE = 60
_MODEL = 24
_HEADINGS = ("ID", "CHANGED", "PROMPTS", "TOKENS", "MODEL", "TITLE")
_ENDINGS = {
    "writing": "cut off when its process died; its text comes with its model",
    "length": "cut off at the longest answer",
    "context": "cut off: the context was full",
    "interrupted": "stopped before its end",
    "fault": "ended by a fault",
}


def fields(one: Listed) -> Fields:
    """One conversation as JSON."""
    return {
        "id": one.id,
        "title": one.title,
        "model": one.model,
        "folder": one.folder,
        "created": one.created,
        "updated": one.updated,
        "deleted": one.deleted,
        "prompts": one.prompts,
        "tokens": one.tokens,
        "open": one.open_by is not None,
        "dropped": one.dropped,
    }


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
        title += " (interrupted)"
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


def shown(archive: Archive) -> str:
    """What is shown of a conversation, as text; unsafe as it was written."""
    conversation, tree = archive.conversation, archive.tree
    about = [conversation.model, f"effort {conversation.effort}", date(archive.updated), conversation.id[:SHORT_ID]]
    lines = [conversation.title or "without a title", " · ".join(each for each in about if each)]
    if conversation.instructions:
        lines += ["", "Instructions", *_indented(conversation.instructions)]
    for node in tree.path():
        others_here = len(tree.siblings(node.id)) - 1
        beside = f" ({others_here} more beside this)" if others_here else ""
        lines += ["", *_said(node, beside)]
    return "\n".join(lines) + "\n"


def _said(node: Node, beside: str) -> list[str]:
    lines: list[str] = []
    for message in node.messages:
        if message.role == "user":
            heading = "You"
        elif message.role == "tool":
            heading = f"{message.name or 'Tool'} answers"
        elif message.is_call:
            heading = f"Call of {message.recipient}"
        else:
            heading = "Thinking" if message.channel == "analysis" else "Answer"
        lines += [heading + beside, *_indented(message.text)]
        beside = ""
    if not node.messages:
        lines += [f"Answer{beside}", f"  {len(node.token_ids):,} tokens"]
    if node.ending in _ENDINGS:
        lines.append(f"  ({_ENDINGS[node.ending]})")
    return lines


def _indented(text: str) -> list[str]:
    return [f"  {line}".rstrip() for line in text.split("\n")]
