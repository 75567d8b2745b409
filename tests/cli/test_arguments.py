"""Which command is meant, what the options become, and how the program says so."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gptoss_tui import __version__
from gptoss_tui.cli.arguments import COMMANDS, TUI, history_bytes, parse, sampling_params
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.errors import ParameterError
from tests.cli.program import Terminal, assert_fault, command, environment, gptoss

NEEDED = {
    "bench": ["demo"],
    "config": ["show"],
    "inspect": ["demo"],
    "pull": ["someone/model"],
    "convert": ["--hf-path", "a", "--mlx-path", "b"],
}
"""What some commands cannot do without."""


def test_the_first_argument_is_a_command_or_a_model() -> None:
    for name, expected in COMMANDS.items():
        assert parse([name, *NEEDED.get(name, [])])[0] is expected
        assert parse([f"./{name}"]) == (TUI, parse([f"./{name}"])[1])
        assert parse([f"./{name}"])[1].model == f"./{name}"
    assert parse([])[1].model is None
    assert parse(["--seed", "3", "run"])[1].model == "run"


@pytest.mark.parametrize(("text", "expected"), [("", 2**28), ("[conversation]\nhistory-mib = 3\n", 3 * 2**20)])
def test_the_memory_for_going_back_is_a_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, expected: int
) -> None:
    monkeypatch.setattr("gptoss_tui.config.config_folder", lambda: tmp_path)
    (tmp_path / "config.toml").write_text(text)
    for words in ([], ["repl"], ["run"]):
        assert history_bytes(parse(words)[1]) == expected


def test_defaults_are_openais() -> None:
    assert sampling_params(parse([])[1]) == SamplingParams()
    assert sampling_params(parse(["run", "Hi"])[1]) == SamplingParams()


def test_options_become_parameters() -> None:
    sampling = ["--temperature", "0.5", "--top-p", "0.9", "--top-k", "40", "--min-p", "0.1"]
    argv = ["run", "Hi", *sampling, "--repetition-penalty", "1.2", "--seed", "7"]
    assert sampling_params(parse(argv)[1]) == SamplingParams(0.5, 0.9, 40, 0.1, 1.2, 7)


@pytest.mark.parametrize("max_tokens", ["0", "-1"])
def test_an_answer_of_no_tokens_is_refused(max_tokens: str) -> None:
    with pytest.raises(ParameterError, match="max tokens cannot be"):
        sampling_params(parse(["run", "Hi", "--max-tokens", max_tokens])[1])


def test_version() -> None:
    result = gptoss("--version")
    assert (result.code, result.out, result.err) == (0, f"gptoss {__version__}\n", "")


@pytest.mark.parametrize("args", [("--help",), *((name, "--help") for name in COMMANDS)])
def test_help(args: tuple[str, ...]) -> None:
    result = gptoss(*args)
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(f"usage: {' '.join(['gptoss', *args[:-1]])} ")
    if len(args) == 1:
        assert all(f"gptoss {name} " in result.out for name in COMMANDS)


@pytest.mark.parametrize(
    "args",
    [
        ("--no-such-option",),
        ("run", "--temperature", "warm"),
        ("run", "--top-k", "1.5"),
        ("run", "--effort", "huge"),
        ("bench",),
    ],
)
def test_wrong_usage_is_exit_code_2(args: tuple[str, ...]) -> None:
    result = gptoss(*args)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("usage: gptoss")


def test_a_mistyped_command_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["rn", "Hi"])
    assert "there is no command rn: did you mean run?" in capsys.readouterr().err


def test_asking_for_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from gptoss_tui.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    for argument in ("--version", "--help"):
        done = subprocess.run([sys.executable, "-c", code, argument], capture_output=True, check=True)
        loaded = set(done.stdout.decode().splitlines()[-1].split())
        assert loaded.isdisjoint({"mlx", "textual", "tiktoken", "numpy", "mlx_lm", "transformers", "prompt_toolkit"})


def test_the_version_costs_hardly_more_than_python() -> None:
    def fastest(*argv: str) -> float:
        seconds = []
        for _ in range(5):
            begun = time.perf_counter()
            subprocess.run(argv, check=True, capture_output=True)
            seconds.append(time.perf_counter() - begun)
        return min(seconds)

    bare, ours = fastest(sys.executable, "-c", "pass"), fastest(*command("--version"))
    print(f"gptoss --version: python -c pass + {ours - bare:.3f} s")


class TestModelNames:
    def test_an_unknown_word_suggests_commands_and_models(self) -> None:
        result = gptoss("rnu")
        assert_fault(result, "There is no command and no model called rnu")
        assert "Did you mean run?" in result.err
        assert "demo" in gptoss("dmeo").err

    def test_a_folder_with_a_commands_name_needs_a_path(self, answerer: Path, tmp_path: Path) -> None:
        os.symlink(answerer, tmp_path / "run")
        with Terminal(command("./run"), cwd=tmp_path, columns=20) as terminal:
            terminal.type(b"/quit\n")
            assert terminal.wait() == 0
            assert b"The terminal has 20" in terminal.written

    def test_two_models(self, answerer: Path) -> None:
        assert_fault(gptoss(answerer, "--model", "demo"), "Two models are named")

    def test_a_hub_id_that_is_not_here_says_how_to_get_it(self) -> None:
        result = gptoss("run", "Hi", "--model", "openai/gpt-oss-20b")
        assert_fault(result, "neither a folder here nor a model in the Hugging Face cache")
        assert "gptoss pull openai/gpt-oss-20b" in result.err

    def test_a_hub_id_in_the_cache(self, answerer: Path, tmp_path: Path) -> None:
        snapshot = cached(tmp_path, "someone/answerer", answerer)
        env = {"HF_HUB_CACHE": str(tmp_path)}
        assert gptoss("run", "Hi", "--model", "someone/answerer", env=env).out == "Hello there\n"
        # And without a name it is the best one here.
        assert gptoss("run", "Hi", env=env).out == "Hello there\n"
        shutil.rmtree(snapshot)
        assert_fault(gptoss("run", "Hi", "--model", "someone/answerer", env=env), "neither a folder here")


class TestTerminal:
    """What `gptoss` without a command does where no screen can be drawn: it is the REPL."""

    def test_no_terminal(self, answerer: Path) -> None:
        piped = gptoss(answerer, "--temperature", 0, stdin=b"Hi\n")
        assert piped.code == 0
        assert "Hello there" in piped.out
        assert "Standard input is not a terminal" in piped.err
        closed = gptoss(answerer, stdin=None)
        assert closed.code == 1
        assert "Standard input or output is closed" in closed.err

    def test_output_that_is_no_terminal(self, answerer: Path) -> None:
        with Terminal(command(answerer), stdout=subprocess.DEVNULL) as terminal:
            terminal.type(b"/quit\n")
            assert terminal.wait() == 0
            assert b"Standard output is not a terminal" in terminal.written

    @pytest.mark.parametrize(("columns", "rows"), [(39, 30), (80, 11)])
    def test_too_small(self, answerer: Path, columns: int, rows: int) -> None:
        with Terminal(command(answerer), columns=columns, rows=rows) as terminal:
            terminal.read_until(lambda written: b"context" in written)
            terminal.type(b"\x04")
            assert terminal.wait() == 0
            assert f"The terminal has {columns}×{rows}".encode() in terminal.written
            assert b"Traceback" not in terminal.written

    def test_dumb(self, answerer: Path) -> None:
        with Terminal(command(answerer), env=environment({"TERM": "dumb"})) as terminal:
            terminal.type(b"/quit\n")
            assert terminal.wait() == 0
            assert b"\x1b" not in terminal.written
            assert b"TERM is dumb" in terminal.written


def cached(cache: Path, repo_id: str, model: Path, revision: str = "0123abc") -> Path:
    """Puts `model` into a Hugging Face cache as huggingface_hub lays it out; returns the snapshot."""
    repo = cache / ("models--" + repo_id.replace("/", "--"))
    snapshot = repo / "snapshots" / revision
    shutil.copytree(model, snapshot)
    (repo / "refs").mkdir()
    (repo / "refs" / "main").write_text(revision)
    return snapshot
