"""Moves about in a conversation in both forms of the REPL."""

from __future__ import annotations

import base64
from pathlib import Path

from tests.cli.program import gptoss
from tests.repl.window import Window, repl

GREEDY = ("--temperature", 0)


def lines_of(folder: Path, said: str, *options: object) -> list[str]:
    """What line mode answers."""
    result = gptoss("repl", folder, *GREEDY, *options, stdin=said.encode())
    assert result.code == 0
    assert "\x1b" not in result.out
    return result.out.splitlines()


def test_every_move_in_line_mode(answerer: Path) -> None:
    lines = lines_of(
        answerer,
        "Hi\n/retry\n/branch\n/edit 1 Well?\n/answer Hello…\n/answer Quite so\n/tree\n/branch #1\n/fork\n/cost\n"
        "/edit\n/continue\n/new\n/tree\n",
    )
    text = "\n".join(lines)
    assert "Asking again. /branch prev shows the answer before." in lines
    assert "→ 2  gpt-oss: Hello there" in lines
    assert text.count("Reuses ") == 6
    assert "  #1 ├─ You: Hi" in lines
    assert "→ #7    └─ gpt-oss: Quite so (changed by you)" in lines
    assert "Hi · one turn:" in lines
    assert any(line.startswith("/retry: reuses ") for line in lines)
    at = lines.index("Enter this with your changes:")
    assert lines[at + 1] == "/edit 1 Hi"
    assert "Error: The answer is complete: the model ended it" in lines
    assert "A new conversation." in lines
    assert "Error: The conversation is empty" in lines


def test_an_answer_goes_on(rambler: Path) -> None:
    lines = lines_of(rambler, "Hi\n/continue\n/continue\n", "--max-tokens", 12)
    assert lines.count("Going on with the answer.") == 2
    assert sum("/continue goes on" in line for line in lines) == 3


def test_files_are_attached(answerer: Path, tmp_path: Path) -> None:
    (tmp_path / "a b.txt").write_text("one two three\n")
    said = f'/attach {tmp_path}/a b.txt\nWhat is this?\nsee @"{tmp_path}/a b.txt"\nsee @{tmp_path}\n/copy talk\n'
    lines = lines_of(answerer, said)
    name = f"{tmp_path}/a b.txt: 4 tokens"
    assert lines.count(name) == 3
    assert "This goes before the next line." in lines
    assert f"Error: {tmp_path} is a folder" in lines
    assert "Error: There is no clipboard within reach" in lines


def test_moves_on_a_screen(answerer: Path, tmp_path: Path) -> None:
    with Window(repl(answerer, *GREEDY), folder=tmp_path) as window:
        window.until_shown("ready")
        window.type("Hi\r")
        window.until_shown("Hello there")
        window.until_shown("ready")
        window.type("/edit\r")
        window.until_shown("> /edit 1 Hi")
        window.type(" you\r")
        window.until_shown("> Hi you")
        window.until_shown("Hello there", 2)
        window.until_shown("ready")
        window.type("/branch prev\r")
        window.until_shown("Hi · one turn:")
        window.type("/copy answer\r")
        window.until_shown("Answer copied: 11 characters.")
        assert b"\x1b]52;c;" + base64.b64encode(b"Hello there") + b"\x07" in window.terminal.written
