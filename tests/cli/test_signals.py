"""Signals: the program leaves within two seconds, whatever it is doing, and the terminal is as it was."""

from __future__ import annotations

import array
import fcntl
import signal
import subprocess
import sys
import termios
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.chat.talker import RANKS
from tests.checkpoints import tiny_checkpoint
from tests.cli.program import PATIENCE_S, Terminal, command, environment
from tests.vocabularies import cut_tokenizer_json

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
IDS = [number.name for number in SIGNALS]

# Promised are two seconds, and it is what the tests print. On a machine that runs much else beside them a process may
# wait longer than that to run at all; what never leaves, or leaves when it is done, is caught all the same.
SOON_S = 20.0


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Takes a moment to load, and ages to read a long prompt."""
    folder = tiny_checkpoint(
        tmp_path_factory.mktemp("signals") / "large",
        num_hidden_layers=48,
        hidden_size=512,
        intermediate_size=512,
        vocab_size=RANKS + 64,
    )
    cut_tokenizer_json(folder, RANKS)
    return folder


@contextmanager
def leaves_soon(what: str) -> Iterator[None]:
    begun = time.monotonic()
    yield
    seconds = time.monotonic() - begun
    print(f"{what}: left after {seconds:.2f} s")
    assert seconds < SOON_S


@pytest.mark.parametrize("number", SIGNALS, ids=IDS)
class TestRun:
    def test_while_loading(self, large: Path, number: signal.Signals) -> None:
        with Terminal(command("run", "Hi", "--model", large)) as terminal:
            terminal.read_until(lambda written: b"Loading" in written)
            self.ends(terminal, number, "loading")
            assert terminal.written.endswith(b"\r\x1b[K")

    def test_while_reading_the_prompt(self, large: Path, number: signal.Signals, tmp_path: Path) -> None:
        (tmp_path / "prompt").write_text("word " * 60_000)
        with (
            (tmp_path / "prompt").open() as prompt,
            Terminal(command("run", "--model", large), stdin=prompt, preexec_fn=None) as terminal,
        ):
            terminal.read_until(lambda written: b"Reading the prompt" in written)
            self.ends(terminal, number, "reading the prompt")

    def test_while_writing(self, rambler: Path, number: signal.Signals) -> None:
        with Terminal(command("run", "Hi", "--model", rambler, "--temperature", "0")) as terminal:
            terminal.read_until(lambda written: written.count(b"Oh, yes") > 5)
            self.ends(terminal, number, "writing")
            assert terminal.written.endswith(b"\r\n")

    def test_what_was_written_is_told(self, rambler: Path, number: signal.Signals) -> None:
        argv = command("run", "Hi", "--model", rambler, "--temperature", "0", "--json")
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, env=environment())
        assert process.stdout is not None
        while b'"channel":"final"' not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(number)
        rest = process.stdout.read().splitlines()
        assert process.wait(PATIENCE_S) == 128 + number
        assert b'"event":"layers"' in rest[-2]
        assert b'"event":"finished","reason":"interrupted","text":"Oh' in rest[-1]

    def test_while_nobody_reads(self, rambler: Path, number: signal.Signals) -> None:
        argv = command("run", "Hi", "--model", rambler, "--temperature", "0", "--json")
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, env=environment())
        assert process.stdout is not None
        process.stdout.readline()
        wait_until_stuck(process)
        with leaves_soon(f"{number.name}, stuck in a write"):
            process.send_signal(number)
            assert process.wait(PATIENCE_S) == 128 + number

    def test_while_waiting_for_a_prompt(self, rambler: Path, number: signal.Signals) -> None:
        with Terminal(command("run", "--model", rambler)) as terminal:
            terminal.read_until(lambda written: b"type the prompt" in written)
            self.ends(terminal, number, "waiting for a prompt")

    def ends(self, terminal: Terminal, number: signal.Signals, what: str) -> None:
        with leaves_soon(f"{number.name}, {what}"):
            terminal.process.send_signal(number)
            assert terminal.wait() == 128 + number
        assert b"Traceback" not in terminal.written
        assert terminal.attributes == terminal.before


@pytest.mark.parametrize("number", SIGNALS, ids=IDS)
class TestScreen:
    """The same of the terminal interface, which has the terminal to put back in order."""

    def test_while_loading(self, large: Path, number: signal.Signals) -> None:
        with Terminal(command(large)) as terminal:
            terminal.read_until(lambda written: b"oading" in written)
            self.ends(terminal, number, "loading")

    def test_while_idle(self, rambler: Path, number: signal.Signals) -> None:
        with Terminal(command(rambler)) as terminal:
            terminal.read_until(lambda written: b"idle" in written)
            self.ends(terminal, number, "idle")

    def test_while_writing(self, rambler: Path, number: signal.Signals) -> None:
        with Terminal(command(rambler, "--temperature", "0")) as terminal:
            terminal.read_until(lambda written: b"idle" in written)
            terminal.type(b"Hi\r")
            # Only cells that change are sent, so that a blank between two words need not be.
            terminal.read_until(lambda written: b"yesOh," in written)
            self.ends(terminal, number, "writing")

    def ends(self, terminal: Terminal, number: signal.Signals, what: str) -> None:
        with leaves_soon(f"{number.name}, on the screen, {what}"):
            terminal.process.send_signal(number)
            assert terminal.wait() == 128 + number
        assert b"Traceback" not in terminal.written
        assert terminal.attributes == terminal.before
        for begin, end in (
            (b"\x1b[?1049h", b"\x1b[?1049l"),
            (b"\x1b[?25l", b"\x1b[?25h"),
            (b"\x1b[?1003h", b"\x1b[?1003l"),
        ):
            assert terminal.written.rfind(end) > terminal.written.rfind(begin) >= 0, (begin, end)


def test_a_key_is_a_signal_too(rambler: Path) -> None:
    with Terminal(command("run", "Hi", "--model", rambler, "--temperature", "0")) as terminal:
        terminal.read_until(lambda written: b"Oh, yes" in written)
        terminal.type(b"\x03")
        assert terminal.wait() == 130


STUCK = """
    import sys, termios, threading, tty
    from gptoss_tui.signals import Leaving
    with Leaving(full_screen=True) as leaving:
        leaving.on_signal = lambda: print("told", flush=True)
        tty.setraw(0)
        print("\\x1b[?1049h\\x1b[?25lready", flush=True)
        while True:
            threading.Event().wait()
"""
ENDING = b"\x1b[?1049l\x1b[?25h"


class TestWatchdog:
    @pytest.mark.parametrize("number", SIGNALS, ids=IDS)
    def test_it_ends_what_does_not_end_and_restores_the_terminal(self, number: signal.Signals) -> None:
        with Terminal(python(STUCK)) as terminal:
            terminal.read_until(lambda written: b"ready" in written)
            assert terminal.attributes != terminal.before
            with leaves_soon(f"{number.name}, stuck"):
                terminal.process.send_signal(number)
                assert terminal.wait() == 128 + number
            assert b"told" in terminal.written
            assert ENDING in terminal.written
            assert terminal.attributes == terminal.before

    def test_a_second_signal_does_not_wait(self) -> None:
        with Terminal(python(STUCK.replace("full_screen=True", "full_screen=True, grace_s=600"))) as terminal:
            terminal.read_until(lambda written: b"ready" in written)
            terminal.process.send_signal(signal.SIGTERM)
            terminal.read_until(lambda written: b"told" in written)
            terminal.process.send_signal(signal.SIGINT)
            assert terminal.wait() == 128 + signal.SIGTERM
            assert terminal.attributes == terminal.before

    def test_ignored_signals_stay_ignored(self) -> None:
        code = """
            import os, signal
            from gptoss_tui.signals import Leaving
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            with Leaving():
                os.kill(os.getpid(), signal.SIGHUP)
                print("still here")
        """
        done = subprocess.run(python(code), capture_output=True, env=environment(), timeout=PATIENCE_S, check=False)
        assert (done.returncode, done.stdout) == (0, b"still here\n")

    def test_a_line_that_drops_twice_has_dropped_once(self) -> None:
        """The kernel says it, and so does the shell: neither may cut short what the other began."""
        code = """
            import os, signal, threading
            from gptoss_tui.signals import Leaving
            told = []
            with Leaving() as leaving:
                leaving.on_signal = lambda: told.append(leaving.signum)
                os.kill(os.getpid(), signal.SIGHUP)
                os.kill(os.getpid(), signal.SIGHUP)
                leaving.line_dropped()
                threading.Event().wait(0.1)
                print(told, leaving.exit_code, flush=True)
                leaving.leave()
        """
        done = subprocess.run(python(code), capture_output=True, env=environment(), timeout=PATIENCE_S, check=False)
        assert (done.returncode, done.stdout) == (129, b"[1] 129\n"), done.stderr

    def test_what_outlives_the_line_leaves_the_terminal_alone(self, tmp_path: Path) -> None:
        code = f"""
            import os, signal, threading
            from pathlib import Path
            from gptoss_tui.signals import Leaving
            told = Path({str(tmp_path / "told")!r})
            with Leaving(full_screen=True, grace_s=0.2) as leaving:
                leaving.on_signal = lambda: None
                leaving.outlives_the_line = lambda: True
                os.kill(os.getpid(), signal.SIGHUP)
                os.kill(os.getpid(), signal.SIGHUP)
                print("for nobody", flush=True)
                threading.Event().wait(1)  # no watchdog
                told.write_text(f"{{leaving.without_line}} {{leaving.signum}} {{leaving.exit_code}}")
                os.kill(os.getpid(), signal.SIGTERM)
                threading.Event().wait()
        """
        with Terminal(python(code)) as terminal:
            assert terminal.wait() == 128 + signal.SIGTERM
            assert terminal.written == b""
        assert (tmp_path / "told").read_text() == "True None 0"

    def test_where_hang_ups_are_ignored_the_end_of_the_terminal_is_told_all_the_same(self) -> None:
        code = """
            import signal
            from gptoss_tui.signals import Leaving
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            with Leaving() as leaving:
                leaving.on_signal = lambda: print("told")
                leaving.line_dropped()
                print(leaving.signum)
        """
        done = subprocess.run(python(code), capture_output=True, env=environment(), timeout=PATIENCE_S, check=False)
        assert done.stdout == b"told\nNone\n"

    def test_nothing_is_left_behind(self) -> None:
        code = """
            import os, signal, threading
            from gptoss_tui.signals import Leaving
            before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
            with Leaving() as leaving:
                pass
            after = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
            print(before == after, leaving.exit_code, threading.active_count())
        """
        done = subprocess.run(python(code), capture_output=True, env=environment(), timeout=PATIENCE_S, check=False)
        assert done.stdout == b"True 0 1\n"


def python(code: str) -> list[str]:
    return [sys.executable, "-c", textwrap.dedent(code)]


def wait_until_stuck(process: subprocess.Popen[bytes]) -> None:
    """Until nothing more gets into the pipe that nobody reads: its writer waits."""
    assert process.stdout is not None
    pipe, held, since = process.stdout.fileno(), -1, time.monotonic()
    pause = threading.Event()
    while time.monotonic() - since < 0.3:
        assert process.poll() is None
        if (now := bytes_waiting(pipe)) != held:
            held, since = now, time.monotonic()
        pause.wait(0.01)


def bytes_waiting(pipe: int) -> int:
    count = array.array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, count)
    return int(count[0])
