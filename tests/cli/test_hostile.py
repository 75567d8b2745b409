"""Whatever models, files and names hold, no command's terminal obeys it; a pipe gets an answer exactly as it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import pytest

from gptoss_tui.chat.events import Token
from gptoss_tui.chat.store.library import Library
from gptoss_tui.cli.output import Output
from gptoss_tui.cli.reports import JsonReport, Report, TextReport
from gptoss_tui.engine.events import Step
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.harmony.messages import Delta
from tests.chat.store.archives import small
from tests.chat.talker import talking_checkpoint
from tests.cli.program import Terminal, command, environment, gptoss
from tests.hostile import ATTACKS, NAME, assert_plain, pieces


class Written:
    """Standard output that is kept."""

    def __init__(self, *, terminal: bool) -> None:
        self.terminal = terminal
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text


@pytest.mark.parametrize("name", ATTACKS)
def test_an_answer_in_any_pieces(name: str) -> None:
    for terminal in (True, False):
        output = Written(terminal=terminal)
        say(TextReport(cast(Output, output), show_analysis=False), name)
        if terminal:
            assert_plain(output.text)
        else:
            assert output.text == ATTACKS[name]
    # JSON says the same on both, with escapes for what a terminal would obey.
    output = Written(terminal=True)
    say(JsonReport(cast(Output, output)), name)
    assert_plain(output.text)
    assert "".join(json.loads(line)["text"] for line in output.text.splitlines()) == ATTACKS[name]


def say(report: Report, name: str) -> None:
    """Hands the attack over, token by token."""
    for index, piece in enumerate(pieces(name)):
        step = Step(index, 1, -0.1, SamplingParams(seed=1), 0.0)
        report.token(Token(step, piece, False, (Delta("final", piece),)))


def test_a_real_answer_and_its_thinking(tmp_path: Path) -> None:
    thinking = "<|channel|>analysis<|message|>\x9b2J\u202e<|end|>"
    answer = "<|start|>assistant<|channel|>final<|message|>A\x1b]0;owned\x07<|return|>"
    folder = talking_checkpoint(tmp_path / "hostile", [thinking + answer])
    words = ("run", "Hi", "--model", folder, "--temperature", 0, "--show-analysis")
    assert gptoss(*words).out == "A\x1b]0;owned\x07\n"
    for options in ((), ("--json",)):
        with Terminal(command(*words, *options)) as terminal:
            assert terminal.wait() == 0
            # The line about reading is the program's own, and written over.
            assert_plain(terminal.written.decode().replace("\r\x1b[K", ""))


@pytest.mark.parametrize(
    "words",
    [("inspect",), ("run", "Hi", "--model"), ("bench",), ("doctor",)],
)
def test_names_and_faults(words: tuple[str, ...], tmp_path: Path) -> None:
    folder = tmp_path / NAME
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "\\u001b[2J"}')
    with Terminal(command(*words, folder)) as terminal:
        terminal.wait()
        assert "␛]0;owned".encode() in terminal.written
        assert_plain(terminal.written.decode())


@pytest.mark.parametrize("words", [("list",), ("show",), ("export",), ("export", "--json"), ("list", "--json")])
def test_kept_conversations(words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    Library().take_in(small(NAME, "\n".join(ATTACKS.values()), "\n".join(ATTACKS.values())))
    ids = [json.loads(gptoss("sessions", "list", "--json").out)["id"]] if words[0] != "list" else []
    with Terminal(command("sessions", *words, *ids), env=environment()) as terminal:
        assert terminal.wait() == 0
        assert_plain(terminal.written.decode())
        assert len(terminal.written) > 50


def test_the_table_in_the_docs_has_every_attack() -> None:
    page = (Path(__file__).parents[2] / "docs" / "terminals.md").read_text()
    rows = page.split("| attack | what is shown |")[1].split("\n\n")[0].splitlines()[2:]
    assert [row.split("|")[1].strip() for row in rows] == list(ATTACKS)
