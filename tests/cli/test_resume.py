"""Conversations that go on: resumed by run and by the front ends, through kills, hang-ups and signals."""

from __future__ import annotations

import select
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from gptoss_tui.chat.store.codec import Archive
from gptoss_tui.chat.store.instances import others
from gptoss_tui.chat.store.keeping import Store
from gptoss_tui.chat.store.library import Library
from tests.cli.program import PATIENCE_S, Result, Terminal, assert_fault, command, environment, gptoss
from tests.cli.test_signals import SIGNALS, leaves_soon

GREEDY = ("--temperature", "0")
LOST_S = 4.0
"""One second is promised, and what was lost is printed; see tests/chat/store/test_kill.py."""


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The user's state folder for `XDG_STATE_HOME`; gptoss keeps things in `gptoss` under it."""
    return tmp_path / "state"


def run(state: Path, *argv: object, stdin: bytes | None = b"") -> Result:
    return gptoss(*argv, stdin=stdin, env={"XDG_STATE_HOME": str(state)})


def env(state: Path) -> Mapping[str, str]:
    return environment({"XDG_STATE_HOME": str(state)})


def last(state: Path) -> Archive:
    library = Library(state / "gptoss")
    return library.get(library.find("").id)


def texts(archive: Archive) -> list[str]:
    return [node.text for node in archive.tree.path()]


class TestRun:
    def test_nothing_is_kept_that_is_not_asked_for(self, state: Path, answerer: Path) -> None:
        assert run(state, "run", "Hi", "--model", answerer).code == 0
        assert not (state / "gptoss" / "conversations.db").exists()

    def test_kept_and_gone_on_with(self, state: Path, answerer: Path) -> None:
        first = run(state, "run", "Hi", "--model", answerer, "--save", "--instructions", "Be kind.")
        assert first.out == "Hello there\n"
        assert texts(last(state)) == ["Hi", "Hello there"]
        conversation_id = last(state).conversation.id
        assert f"gptoss --resume {conversation_id[:8]}" in first.err
        # Its model, its instructions and its settings come with it.
        second = run(state, "run", "And you?", f"--resume={conversation_id[:6]}", "--json")
        assert second.code == 0, second.err
        archive = last(state)
        assert texts(archive) == ["Hi", "Hello there", "And you?", "Hello there"]
        assert archive.conversation.instructions == "Be kind."
        prompt = next(event for event in second.events if event["event"] == "prompt")
        answer = archive.tree.path()[1]
        # The very tokens of the answer, not its text encoded again.
        content = list(answer.messages[-1].token_ids or ())
        ids = prompt["token_ids"]
        assert any(ids[at : at + len(content)] == content for at in range(len(ids)))

    def test_without_changing_it(self, state: Path, answerer: Path) -> None:
        run(state, "run", "Hi", "--model", answerer, "--save")
        before = last(state)
        assert run(state, "run", "And you?", "--resume", "--no-save").out == "Hello there\n"
        assert texts(last(state)) == texts(before)

    def test_another_model_may_go_on(self, state: Path, answerer: Path, talker: Path) -> None:
        run(state, "run", "Hi", "--model", answerer, "--save")
        result = run(state, "run", "And you?", "--resume", "--model", talker, *GREEDY)
        assert result.code == 0
        assert f"was held with {answerer.name}; {talker.name} goes on" in result.err
        assert last(state).conversation.model == talker.name

    def test_what_is_asked_for_goes_before_what_was_kept(self, state: Path, answerer: Path) -> None:
        run(state, "run", "Hi", "--model", answerer, "--save", "--temperature", "0.5", "--effort", "low")
        result = run(state, "run", "Hi", "--resume", "--json", "--top-k", "3")
        params = next(event for event in result.events if event["event"] == "token")["params"]
        assert (params["temperature"], params["top_k"]) == (0.5, 3)
        assert last(state).conversation.effort == "low"
        run(state, "run", "Hi", "--resume", "--effort", "high")
        assert last(state).conversation.effort == "high"

    def test_by_its_title(self, state: Path, answerer: Path) -> None:
        run(state, "run", "About cakes", "--model", answerer, "--save")
        run(state, "run", "About qubits", "--model", answerer, "--save")
        assert run(state, "run", "And you?", "--resume=CAKES").code == 0
        assert texts(last(state))[0] == "About cakes"

    def test_its_model_is_gone(self, state: Path, answerer: Path, tmp_path: Path) -> None:
        moved = tmp_path / "moved"
        shutil.copytree(answerer, moved)
        run(state, "run", "Hi", "--model", moved, "--save")
        shutil.rmtree(moved)
        result = run(state, "run", "And you?", "--resume", "--max-tokens", "2")
        assert result.code == 0
        assert "was held with moved; " in result.err

    def test_there_is_none(self, state: Path, answerer: Path) -> None:
        assert_fault(run(state, "run", "Hi", "--resume"), "There is no conversation yet")
        assert_fault(run(state, "run", "Hi", "--resume=beef1234"), "There is no conversation beef1234")
        assert_fault(run(state, "repl", "--resume=beef1234"), "There is no conversation beef1234")

    @pytest.mark.parametrize("number", SIGNALS)
    def test_a_signal_keeps_what_was_written(self, state: Path, rambler: Path, number: signal.Signals) -> None:
        argv = command("run", "Hi", "--model", rambler, *GREEDY, "--save", "--json")
        with subprocess.Popen(argv, stdout=subprocess.PIPE, env=env(state)) as process:
            assert process.stdout is not None
            told = b""
            while told.count(b'"event":"token"') < 20:
                told += process.stdout.readline()
            process.send_signal(number)
            told += process.stdout.read()
            assert process.wait(PATIENCE_S) == 128 + number
        answer = last(state).tree.path()[-1]
        assert answer.ending == "interrupted"
        assert len(answer.token_ids) == told.count(b'"event":"token"')


def test_kill_and_resume(state: Path, rambler: Path) -> None:
    """kill -9 in mid-answer, several times, and each time the conversation goes on where it was."""
    argv = ["run", "Hi", "--model", rambler, *GREEDY, "--save", "--max-tokens", "100000", "--json"]
    for round in range(2):
        with subprocess.Popen(command(*argv), stdout=subprocess.PIPE, env=env(state)) as process:
            assert process.stdout is not None
            times: list[float] = []
            while len(times) < 400 * (round + 1):
                if b'"event":"token"' in process.stdout.readline():
                    times.append(time.monotonic())
            process.kill()
            at = time.monotonic()
        store = Store(state / "gptoss")
        assert store.ready()
        store.close(30)
        answer = last(state).tree.path()[-1]
        saved = len(answer.token_ids)
        lost = at - times[saved] if saved < len(times) else 0.0
        print(f"{len(times)} tokens told, {saved} kept: {lost:.2f} s lost")
        assert lost < LOST_S
        argv = ["run", f"Again {round}", "--resume", "--max-tokens", "100000", "--json"]
        shown = run(state, "sessions", "show")
        assert "Oh, yes" in shown.out, shown
        assert "(stopped before its end)" in shown.out
        answer = last(state).tree.path()[-1]
        assert answer.ending == "interrupted"
        assert answer.text.count("Oh, yes") > 10
    assert [text for text in texts(last(state)) if not text.startswith("Oh")] == ["Hi", "Again 0"]


class TestFrontEnds:
    @pytest.mark.parametrize(
        ("front_end", "how"),
        [
            ((), "SIGHUP"),
            ((), "line"),
            (("repl",), "SIGTERM"),
            (("repl",), "line"),
            (("repl", "--plain"), "SIGHUP"),
            (("repl", "--plain"), "line"),
        ],
    )
    def test_what_was_written_is_kept_and_offered(
        self, state: Path, rambler: Path, front_end: tuple[str, ...], how: str
    ) -> None:
        name, *options = front_end or ("",)
        argv = command(*([name] if name else []), rambler, *options, *GREEDY)
        with Terminal(argv, env=env(state)) as terminal:
            writing(terminal, front_end)
            with leaves_soon(f"{' '.join(front_end) or 'screen'}, {how}"):
                if how == "line":
                    terminal.hang_up()
                    terminal.process.wait(PATIENCE_S)
                else:
                    terminal.process.send_signal(getattr(signal, how))
                    assert terminal.wait() == 128 + getattr(signal, how)
        archive = last(state)
        assert len(archive.tree.path()[-1].token_ids) > 20
        told = run(state, "repl", "--plain", rambler)
        assert "“Go on” lost its terminal" in told.out
        shown = run(state, "sessions", "show")
        assert "Oh, yes" in shown.out
        assert "(stopped before its end)" in shown.out

    @pytest.mark.parametrize("front_end", [(), ("repl",)], ids=["screen", "repl"])
    def test_keep_going(self, state: Path, rambler: Path, front_end: tuple[str, ...]) -> None:
        tokens = 1500
        argv = command(*front_end, rambler, *GREEDY, "--keep-going", "--max-tokens", str(tokens))
        with Terminal(argv, env=env(state)) as terminal:
            writing(terminal, front_end)
            terminal.hang_up()
            assert terminal.process.poll() is None
            while [other.doing for other in others(state / "gptoss")] != ["finishing"]:
                assert terminal.process.poll() is None, "it left too early"
                pause()
            seen = run(state, "repl", "--plain", rambler).out
            assert "is finishing an answer in the background, in “Go on”" in seen or terminal.process.poll() is not None
            assert terminal.process.wait(PATIENCE_S) == 0
        answer = last(state).tree.path()[-1]
        assert (answer.ending, len(answer.token_ids)) == ("length", tokens)
        assert others(state / "gptoss") == []

    def test_what_goes_on_alone_can_be_ended(self, state: Path, rambler: Path) -> None:
        argv = command(rambler, *GREEDY, "--keep-going")
        with Terminal(argv, env=env(state)) as terminal:
            writing(terminal, ())
            terminal.hang_up()
            while [other.doing for other in others(state / "gptoss")] != ["finishing"]:
                assert terminal.process.poll() is None, "it left too early"
                pause()
            with leaves_soon("SIGTERM, alone"):
                terminal.process.terminate()
                assert terminal.process.wait(PATIENCE_S) == 128 + signal.SIGTERM
        assert last(state).tree.path()[-1].ending == "interrupted"

    def test_a_line_that_drops_while_nothing_is_written(self, state: Path, rambler: Path) -> None:
        with Terminal(command(rambler, "--keep-going"), env=env(state)) as terminal:
            terminal.read_until(lambda written: b"idle" in written)
            with leaves_soon("idle, line"):
                terminal.hang_up()
                terminal.process.wait(PATIENCE_S)

    def test_a_private_talk_leaves_nothing(self, state: Path, rambler: Path) -> None:
        for front_end in ((), ("repl",)):
            with Terminal(command(*front_end, rambler, *GREEDY, "--no-save"), env=env(state)) as terminal:
                writing(terminal, front_end)
                terminal.process.terminate()
                terminal.wait()
        # Which models were used, and when, is no part of the talk.
        assert [file for file in state.rglob("*") if file.is_file() and file.parent.name != "used"] == []

    def test_another_one_that_runs_is_told(self, state: Path, answerer: Path) -> None:
        with Terminal(command(answerer), env=env(state)) as terminal:
            terminal.read_until(lambda written: b"idle" in written)
            told = run(state, "repl", "--plain", answerer).out
            assert f"Another gptoss runs (process {terminal.process.pid}" in told


def writing(terminal: Terminal, front_end: tuple[str, ...]) -> None:
    """Until the program is in the middle of an answer to a prompt."""
    ready = b"idle" if not front_end else b"ready" if front_end == ("repl",) else b"> "
    terminal.read_until(lambda written: ready in written)
    terminal.type(b"Go on\r")
    terminal.read_until(lambda written: written.count(b"yes") > 5)
    # A moment more, so that there is something to lose.
    until = time.monotonic() + 0.5
    while time.monotonic() < until:
        terminal.read(0.05)


def pause() -> None:
    select.select([], [], [], 0.02)
