"""Line mode: no escape code whatever happens, and everything that the REPL can do."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.chat.talker import talking_checkpoint
from tests.cli.program import Terminal, command, environment, gptoss
from tests.repl.window import Window, repl

GREEDY = ("--temperature", 0)


class TestPipe:
    """Standard input is a pipe: lines in their order, and the end of the input ends it."""

    def test_a_conversation(self, answerer: Path) -> None:
        said = b'Hi\n/set temperature 0.5\n/set temperature\n/set temperature 0\n"""two\nlines"""\n/kv\n/nothing\n'
        result = gptoss("repl", answerer, *GREEDY, stdin=said)
        assert result.code == 0
        assert "\x1b" not in result.out + result.err
        answers = [at for at, line in enumerate(result.out.splitlines()) if line == "Hello there"]
        lines = result.out.splitlines()
        assert len(answers) == 2
        assert answers[0] < lines.index("temperature is 0.50") < answers[1]
        assert "Error: There is no command /nothing" in lines
        assert any(line.startswith("context ") for line in lines)

    def test_colours_only_where_they_are_forced(self, answerer: Path) -> None:
        env = {"CLICOLOR_FORCE": "1"}
        forced = gptoss("repl", answerer, *GREEDY, stdin=b"Hi\n", env=env)
        assert "\x1b[" in forced.out
        assert "Hello there\n" in forced.out
        assert "\x1b" not in gptoss("repl", answerer, *GREEDY, stdin=b"Hi\n", env={**env, "NO_COLOR": "1"}).out
        assert "\x1b" not in gptoss("repl", "--plain", answerer, *GREEDY, stdin=b"Hi\n", env=env).out
        assert "\x1b[" in gptoss("repl", answerer, *GREEDY, stdin=b"Hi\n", env={"FORCE_COLOR": "1"}).out

    def test_another_model(self, answerer: Path, rambler: Path, tmp_path: Path) -> None:
        other = talking_checkpoint(tmp_path / "other", ["<|channel|>final<|message|>Quite so<|return|>"])
        said = f"Hi\n/model\n/model {other}\nHi\n/model {other}\n/model {tmp_path}\nHi\n".encode()
        result = gptoss("repl", answerer, *GREEDY, stdin=said)
        assert result.code == 0
        lines = result.out.splitlines()
        at = lines.index("Hello there")
        listed = next(i for i, line in enumerate(lines) if line.startswith("demo "))
        switched = next(i for i, line in enumerate(lines) if line.startswith("other goes on with this conversation"))
        assert at < listed < switched < lines.index("Quite so")
        assert "once it was let go" in lines[switched]
        assert "This model is loaded already." in lines
        assert f"Error: {tmp_path} has no config.json" in result.out
        assert lines.count("Quite so") == 2  # what could not be loaded has changed nothing

    def test_another_model_where_there_is_none(self, answerer: Path, tmp_path: Path) -> None:
        result = gptoss("repl", tmp_path, stdin=f"/model {answerer}\nHi\n".encode())
        assert "Error: " in result.out
        assert "Hello there" in result.out

    def test_no_model(self, tmp_path: Path) -> None:
        result = gptoss("repl", tmp_path, stdin=b"Hi\n")
        assert "Error: " in result.out
        assert "Traceback" not in result.out + result.err


class TestTerminal:
    """Standard input is a terminal that cannot draw, or must not."""

    def test_commands_in_mid_answer(self, rambler: Path, tmp_path: Path) -> None:
        with Window(repl("--plain", rambler, *GREEDY), folder=tmp_path) as window:
            window.type("Go\n")
            window.until_shown("Answer:")
            window.type("/set temperature 0.3\n")
            window.until_shown("temperature is 0.30")
            window.type("\x03")
            window.until_shown("Stopped.")
            window.type("Go on\n")
            window.until_shown("Answer:", 2)
            window.type("/stop\n")
            window.until_shown("Stopped.", 2)
            assert b"\x1b" not in window.terminal.written
            window.type("half a prompt\x03")
            window.until_shown("\nctrl+c again to leave")
            window.type("\x03")
            assert window.terminal.wait() == 0

    def test_dumb(self, answerer: Path) -> None:
        env = environment({"TERM": "dumb"})
        with Terminal(command("repl", answerer, *GREEDY), env=env) as terminal:
            terminal.type(b"Hi\n/quit\n")
            assert terminal.wait() == 0
            assert b"\x1b" not in terminal.written

    def test_a_signal(self, rambler: Path, tmp_path: Path) -> None:
        with Window(repl("--plain", rambler, *GREEDY), folder=tmp_path) as window:
            window.type("Go\n")
            window.until_shown("Answer:")
            window.terminal.process.send_signal(signal.SIGTERM)
            assert window.terminal.wait() == 128 + signal.SIGTERM
