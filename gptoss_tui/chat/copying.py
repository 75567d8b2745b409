"""What can be taken out of a conversation as text: an answer, its code, its thinking, the whole talk. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gptoss_tui.chat.tree import Node
from gptoss_tui.errors import PromptError

COPIED = {"answer": "Answer", "code": "Code", "thinking": "Thinking", "talk": "Talk"}
"""What can be copied, and what it is called when it was."""

_FENCE = re.compile(r"^ {0,3}(?P<fence>`{3,}|~{3,})[^\n]*$")


def copied(what: str, path: Sequence[Node]) -> str:
    """The text of one of `COPIED`. Raises `PromptError` where there is none yet."""
    answers = [node for node in reversed(path) if node.role == "assistant"]
    match what:
        case "answer":
            text = next((node.text for node in answers if node.text), "")
        case "code":
            text = next((blocks[-1] for node in answers if (blocks := code_blocks(node.text))), "")
        case "thinking":
            text = next((node.thinking for node in answers if node.thinking), "")
        case _:
            text = talk(path)
    if not text:
        raise PromptError(
            f"There is no {'code block' if what == 'code' else what} to copy", "/copy answer, code, thinking or talk."
        )
    return text


def code_blocks(markdown: str) -> list[str]:
    """What stands in the fenced code blocks, without the fences; one that was never closed reaches to the end."""
    blocks: list[str] = []
    fence = ""
    lines: list[str] = []
    for line in markdown.split("\n"):
        match = _FENCE.match(line)
        if not fence and match:
            fence, lines = match["fence"], []
        elif fence and line.strip().startswith(fence) and not line.strip().strip(fence[0]):
            blocks.append("\n".join(lines))
            fence = ""
        elif fence:
            lines.append(line)
    return [*blocks, "\n".join(lines)] if fence else blocks


def talk(path: Sequence[Node]) -> str:
    """The whole talk as Markdown: who said what, without the thinking."""
    names = {"user": "You", "assistant": "gpt-oss", "tool": "Tool"}
    return "\n\n".join(f"**{names[node.role]}**\n\n{node.text}" for node in path if node.text)
