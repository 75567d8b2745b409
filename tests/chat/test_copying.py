"""What is taken out of a conversation as text."""

from __future__ import annotations

import pytest

from gptoss_tui.chat.copying import code_blocks, copied
from gptoss_tui.chat.tree import Node
from gptoss_tui.errors import PromptError
from gptoss_tui.harmony.messages import Message

PATH = (
    Node("a", None, "user", (Message.user("Show code"),)),
    Node("b", "a", "assistant", (Message.assistant("Hm", "analysis"), Message.assistant("```py\n1\n```\n~~~\n2\n~~~"))),
    Node("c", "b", "user", (Message.user("Thanks"),)),
    Node("d", "c", "assistant", (Message.assistant("Welcome"),)),
    Node("e", "d", "user", (Message.user("And?"),)),
    Node("f", "e", "assistant", ()),
)


def test_the_last_of_each_kind() -> None:
    assert copied("answer", PATH) == "Welcome"
    assert copied("code", PATH) == "2"
    assert copied("thinking", PATH) == "Hm"
    assert copied("talk", PATH[:4]) == (
        "**You**\n\nShow code\n\n**gpt-oss**\n\n```py\n1\n```\n~~~\n2\n~~~\n\n"
        "**You**\n\nThanks\n\n**gpt-oss**\n\nWelcome"
    )


@pytest.mark.parametrize("what", ["answer", "code", "thinking", "talk"])
def test_nothing_to_copy(what: str) -> None:
    with pytest.raises(PromptError, match="no "):
        copied(what, ())


@pytest.mark.parametrize(
    ("markdown", "blocks"),
    [
        ("no code", []),
        ("```\na\n\nb\n```", ["a\n\nb"]),
        ("````md\n```py\nx\n```\n````", ["```py\nx\n```"]),
        ("```\nnever closed", ["never closed"]),
        ("```py\na\n```\ntext\n```\nb\n```", ["a", "b"]),
        ("  ```\n  a\n  ```", ["  a"]),
        ("```\n``` x\n```", ["``` x"]),
        ("`inline`", []),
    ],
)
def test_code_blocks(markdown: str, blocks: list[str]) -> None:
    assert code_blocks(markdown) == blocks
