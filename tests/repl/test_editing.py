"""Writing a prompt: several lines, an editor, vi keys, history, completion, also while the model writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.repl.window import Window, script, scripted

ENDLESS = [("final", f"word{at} ") for at in range(100_000)]


def hello(folder: Path, *options: str) -> list[str]:
    """The command line of one that says hello."""
    return scripted(script(folder, [("final", "Hello")]), *options)


def remembered(folder: Path) -> list[str]:
    """The prompts that were sent."""
    return [json.loads(line)["prompt"] for line in (folder / "gptoss" / "prompts.jsonl").open()]


@pytest.mark.parametrize(("options", "newline"), [((), "\x1b\r"), ((), "\n"), (("--vi",), "\n")])
def test_several_lines(options: tuple[str, ...], newline: str, tmp_path: Path) -> None:
    with Window(hello(tmp_path, *options), folder=tmp_path) as window:
        window.until_shown("ready")
        window.type(f"one{newline}two{newline}three\r")
        window.until_shown("Hello")
        at = window.lines.index("> one")
        assert window.lines[at : at + 3] == ["> one", "  two", "  three"]
    assert remembered(tmp_path) == ["one\ntwo\nthree"]


@pytest.mark.parametrize(("options", "keys"), [((), "\x18\x05"), (("--vi",), "\x1bv")])
def test_the_editor_goes_on_with_the_draft(options: tuple[str, ...], keys: str, tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nprintf " and more" >> "$1"\n')
    editor.chmod(0o755)
    env = {"EDITOR": str(editor), "VISUAL": ""}
    with Window(hello(tmp_path, *options), folder=tmp_path, env=env) as window:
        window.until_shown("ready")
        window.type("a draft")
        window.until_shown("> a draft")
        window.type(keys)
        window.until_shown("> a draft and more")


def test_an_answer_goes_on_behind_the_editor(tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    # Ends when the test lets it.
    editor.write_text(f'#!/bin/sh\nwhile [ ! -e {tmp_path}/go ]; do sleep 0.05; done\nprintf edited > "$1"\n')
    editor.chmod(0o755)
    env = {"EDITOR": str(editor), "VISUAL": ""}
    with Window(scripted(script(tmp_path, ENDLESS[:60]), "100"), folder=tmp_path, env=env) as window:
        window.until_prompt()
        window.type("Hi\r")
        window.until_shown("writing")
        window.type("\x18\x05")
        (tmp_path / "go").touch()
        window.until_shown("> edited")
        window.until_shown("60 tokens")
        assert "word0 " in window.text
        assert "word59" in window.text


@pytest.mark.parametrize("options", [(), ("--vi",)])
def test_search_in_the_history(options: tuple[str, ...], tmp_path: Path) -> None:
    file = tmp_path / "gptoss" / "prompts.jsonl"
    file.parent.mkdir()
    file.write_text("".join(json.dumps({"prompt": text}) + "\n" for text in ("what is a qubit", "a qubyte", "x")))
    with Window(hello(tmp_path, *options), folder=tmp_path) as window:
        window.until_shown("ready")
        window.type("\x12qub")
        window.until_shown("> a qubyte")
        window.type("\x12")
        window.until_shown("> what is a qubit")
        window.type("\r")
        window.type("\r")
        window.until_shown("Hello")
    assert remembered(tmp_path)[-1] == "what is a qubit"


def test_completion_of_arguments_and_files(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "note\x1b[2Jbook").mkdir()
    (tmp_path / "my notes.txt").write_text("")
    with Window(hello(tmp_path), folder=tmp_path) as window:
        window.until_shown("ready")
        window.type("/set temp\t 0.3\r")
        window.until_shown("temperature is 0.30")
        window.type("/set top-p ")
        window.until_shown("it does nothing")
        window.type("\x03")
        window.until(lambda: "it does nothing" not in window.text)
        window.type(f"see @{tmp_path}/note")
        window.until_shown("note␛[2Jbook/")
        window.type("s\t now")
        window.until_shown("notes.txt now")
        window.type(f"\x15see @{tmp_path}/my\t now")
        window.until_shown('/my notes.txt" now')


def test_typing_ahead_is_kept_and_commands_are_done_while_it_writes(tmp_path: Path) -> None:
    with Window(scripted(script(tmp_path, ENDLESS), "40"), folder=tmp_path) as window:
        window.until_prompt()
        window.type("Hi\r")
        window.until_shown("writing")
        window.type("/layers\r")
        window.until_shown("┊ layer")
        window.type("/kv\r")
        window.until_shown("┊ context ")
        window.type("my next thought")
        window.until_shown("> my next thought")
        assert "> /kv" not in window.text
        assert "┊ /kv" in window.text
        window.type("\x1b")
        window.until_shown("Stopped.")
        window.until_shown("ready")
        window.type("\r")
        window.until_shown("> my next thought")
        window.until_shown("writing")
