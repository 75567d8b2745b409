"""The REPL in a real terminal with real models: what a person sees and what the keys do."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from tests.repl.window import Window, repl, script, scripted

GREEDY = ("--temperature", 0)


class TestConversation:
    """Asking, answering, and what stands between."""

    def test_a_conversation(self, answerer: Path, tmp_path: Path) -> None:
        with Window(repl(answerer, *GREEDY), folder=tmp_path) as window:
            # Typed while the model loads, and kept.
            window.until_prompt()
            window.type("First?\r")
            window.until_shown("first token")
            assert "> First?" in window.lines
            assert "Hello there" in window.lines
            window.until_shown("ready")
            window.type('"""one\rtwo"""\r')
            window.until_shown("first token", 2)
            at = window.lines.index("> one")
            assert window.lines[at + 1] == "  two"
            window.type("/layers\r/kv\r/set\r")
            window.until_shown("repetition-penalty off")
            assert sum(line.split()[1:2] == ["sliding"] for line in window.lines) == 2
            assert "left" in window.text
            window.type("/retry\r")
            window.until_shown("first token", 3)
            window.type("/clear\r")
            window.until_shown("A new conversation.")
            window.type("\x04")
            assert window.terminal.wait() == 0
            assert window.terminal.attributes == window.terminal.before
        remembered = [json.loads(line)["prompt"] for line in (tmp_path / "gptoss" / "prompts.jsonl").open()]
        assert remembered[:2] == ["First?", '"""one\ntwo"""']

    def test_in_mid_answer(self, rambler: Path, tmp_path: Path) -> None:
        with Window(repl(rambler, *GREEDY), folder=tmp_path) as window:
            window.until_prompt()
            window.type("Go\r")
            window.until_shown("writing")
            window.type("++")
            window.until_shown("temperature 0.20")
            window.type("/set temperature 0.3\r")
            window.until_shown("temperature is 0.30")
            window.type("\t")
            window.type("-")
            window.until_shown("top-p 0.95")
            # A prompt waits; Ctrl-C gives it back and stops the answer.
            window.type("next\r")
            window.until_shown("1 waiting")
            window.type("\x03")
            window.until_shown("Stopped.")
            window.until_shown("> next")
            window.type("\x03")
            window.until(lambda: "> next" not in window.text.splitlines()[-20:])
            window.type("Again\r")
            window.until_shown("writing")
            window.type("\x1b")
            window.until_shown("Stopped.", 2)
            window.until_shown("ready")
            window.type("\x03\x03")
            assert window.terminal.wait() == 0

    def test_typing_ahead_is_sent_afterwards(self, rambler: Path, tmp_path: Path) -> None:
        with Window(repl(rambler, *GREEDY, "--max-tokens", 400), folder=tmp_path) as window:
            window.until_prompt()
            window.type("Go\rthen this\r")
            window.until_shown("longest answer allowed", 2)
            assert window.lines.index("> Go") < window.lines.index("> then this")

    def test_thinking(self, tmp_path: Path) -> None:
        file = script(
            tmp_path, [("analysis", "Hm, "), ("analysis", "so.\n"), ("final", "**Bold"), ("final", "** word.")]
        )
        with Window(scripted(file), folder=tmp_path) as window:
            window.until_prompt()
            window.type("Hi\r")
            window.until_shown("4 tokens")
            at = window.lines.index("Thinking")
            assert window.lines[at : at + 4] == ["Thinking", "Hm, so.", "", "Bold word."]
            window.type("/thinking fold\r/retry\r")
            window.until_shown("4 tokens", 2)
            assert "▸ Thinking · 2 tokens" in window.lines
            assert window.text.count("Hm, so.") == 1
            window.type("/thinking last\r")
            window.until_shown("Hm, so.", 2)


class TestKeys:
    """Editing the prompt."""

    def test_history_search_suggestion_and_completion(self, answerer: Path, tmp_path: Path) -> None:
        file = tmp_path / "gptoss" / "prompts.jsonl"
        file.parent.mkdir()
        file.write_text("".join(json.dumps({"prompt": text}) + "\n" for text in ("what is a qubit", "tell a story")))
        with Window(repl(answerer, *GREEDY), folder=tmp_path) as window:
            window.until_shown("ready")
            window.type("tell")
            window.until_shown("tell a story")
            window.type("\x05")  # takes the suggestion
            window.type("!")
            window.until_shown("tell a story!")
            window.type("\x03")
            window.until_prompt()
            window.type("\x12qubit")
            window.until_shown("what is a qubit")
            window.type("\r")
            window.type("\x03")
            window.type("/eff\t h\t\r")
            window.until_shown("effort is high")
            window.type("/theme gptoss-li\t\r")
            window.until_shown("theme is gptoss-light")
            window.type("/theme\r")
            window.until_shown("* gptoss-light")

    def test_vi(self, answerer: Path, tmp_path: Path) -> None:
        with Window(repl(answerer, *GREEDY, "--editing", "vi"), folder=tmp_path) as window:
            window.until_shown("ready")
            window.type("wrong words")
            window.until_shown("wrong words")
            window.type("\x1bbdw")
            window.until(lambda: "wrong words" not in window.text)
            window.type("aideas\r")
            window.until_shown("> wrong ideas")

    def test_the_editor(self, answerer: Path, tmp_path: Path) -> None:
        editor = tmp_path / "editor"
        editor.write_text('#!/bin/sh\nprintf "from the editor" > "$1"\n')
        editor.chmod(0o755)
        with Window(repl(answerer, *GREEDY), folder=tmp_path, env={"EDITOR": str(editor), "VISUAL": ""}) as window:
            window.until_shown("ready")
            window.type("\x18\x05")
            window.until_shown("> from the editor")


class TestLeaving:
    """Signals, hang-up, faults."""

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
    def test_signals(self, rambler: Path, tmp_path: Path, number: signal.Signals) -> None:
        with Window(repl(rambler, *GREEDY), folder=tmp_path) as window:
            window.until_prompt()
            window.type("Go\r")
            window.until_shown("writing")
            window.type("a draft")
            window.until_shown("> a draft")
            window.terminal.process.send_signal(number)
            assert window.terminal.wait() == 128 + number
            assert window.terminal.attributes == window.terminal.before
        assert "a draft" in (tmp_path / "gptoss" / "prompts.jsonl").read_text()

    def test_no_model(self, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        with Window(repl(tmp_path / "empty"), folder=tmp_path) as window:
            window.until_shown("no model")
            window.until_prompt()
            window.type("Hi\r")
            window.until_shown("There is no model to ask.")
            assert "Traceback" not in window.text
            window.type("/quit\r")
            assert window.terminal.wait() == 0
