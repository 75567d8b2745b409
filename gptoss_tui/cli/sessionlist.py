"""One kept conversation as `gptoss sessions` gives it out: as text, and as JSON fields."""

from __future__ import annotations

from collections.abc import Collection

from gptoss_tui.chat.store.codec import Archive
from gptoss_tui.chat.store.library import SHORT_ID
from gptoss_tui.chat.store.listing import date
from gptoss_tui.chat.store.rows import Listed
from gptoss_tui.chat.tree import Node
from gptoss_tui.cli.jsonl import Fields

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


def shown(archive: Archive, under_way: Collection[str] = ()) -> str:
    """What is shown of a conversation, as text; unsafe as it was written. `under_way` is what is being written now."""
    conversation, tree = archive.conversation, archive.tree
    about = [conversation.model, f"effort {conversation.effort}", date(archive.updated), conversation.id[:SHORT_ID]]
    lines = [conversation.title or "without a title", " · ".join(each for each in about if each)]
    if conversation.instructions:
        lines += ["", "Instructions", *_indented(conversation.instructions)]
    for node in tree.path():
        others_here = len(tree.siblings(node.id)) - 1
        beside = f" ({others_here} more beside this)" if others_here else ""
        lines += ["", *_said(node, beside, node.id in under_way)]
    return "\n".join(lines) + "\n"


def _said(node: Node, beside: str, under_way: bool) -> list[str]:
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
    if under_way:
        lines.append("  (being written now)")
    elif node.ending in _ENDINGS:
        lines.append(f"  ({_ENDINGS[node.ending]})")
    return lines


def _indented(text: str) -> list[str]:
    return [f"  {line}".rstrip() for line in text.split("\n")]
