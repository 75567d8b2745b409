"""The prompt's state on the disk: written at the end where that is wanted, read at the beginning where it fits."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from gptoss_tui.chat.store.library import Library
from gptoss_tui.chat.store.saved_state import FOLDER, bound_states, state_file
from tests.cli.program import Result, gptoss

GREEDY = ("--temperature", "0")
LONG = " ".join(f"word{number}" for number in range(300))

Run = Callable[..., Result]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Where gptoss keeps things."""
    return tmp_path / "state" / "gptoss"


@pytest.fixture
def run(tmp_path: Path, state: Path) -> Run:
    """Runs gptoss with the setting on."""
    (tmp_path / "config" / "gptoss").mkdir(parents=True)
    (tmp_path / "config" / "gptoss" / "config.toml").write_text("[conversation]\nsave-kv = true\n")
    env = {"XDG_STATE_HOME": str(state.parent), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    return lambda *argv: gptoss("run", *argv, *GREEDY, env=env)


def reused(result: Result) -> tuple[int, int]:
    """(prompt tokens that needed no prefill, prompt tokens)."""
    assert result.code == 0, result.err
    (finished,) = [event for event in result.events if event["event"] == "finished"]
    return finished["reused_tokens"], finished["prompt_tokens"]


def files(state: Path) -> list[Path]:
    return sorted((state / FOLDER).glob("*")) if (state / FOLDER).exists() else []


def test_off_by_default(state: Path, answerer: Path) -> None:
    gptoss("run", "Hi", "--model", answerer, "--save", env={"XDG_STATE_HOME": str(state.parent)})
    assert files(state) == []


def test_written_and_read(run: Run, state: Path, answerer: Path) -> None:
    first = run(LONG, "--model", answerer, "--save", "--json")
    _, prompt = reused(first)
    (file,) = files(state)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "Wrote the prompt's state: " in first.err
    second = run("More.", "--resume", "--json")
    again, longer = reused(second)
    assert "Read the prompt's state: " in second.err
    assert again >= prompt
    # What is new: the frame of the next prompt, and the prompt.
    assert longer - again < 40
    greedy = [event["id"] for event in second.events if event["event"] == "token"]
    file.unlink()
    cold = run("More.", "--resume", "--no-save", "--json")
    assert reused(cold)[0] == 0
    assert [event["id"] for event in cold.events if event["event"] == "token"] == greedy


def test_another_models_is_not_used(run: Run, state: Path, answerer: Path, talker: Path) -> None:
    run(LONG, "--model", answerer, "--save")
    other = run("More.", "--resume", "--model", talker, "--json")
    assert "The prompt's state was not used." in other.err
    assert reused(other)[0] == 0


@pytest.mark.parametrize("damage", ["cut", "changed", "empty"])
def test_a_damaged_one_is_not_used(run: Run, state: Path, answerer: Path, damage: str) -> None:
    run(LONG, "--model", answerer, "--save")
    (file,) = files(state)
    data = bytearray(file.read_bytes())
    if damage == "changed":
        data[-100] ^= 1
    file.write_bytes(data[: {"cut": len(data) // 2, "changed": len(data), "empty": 0}[damage]])
    result = run("More.", "--resume", "--json")
    assert "The prompt's state was not used." in result.err
    assert reused(result)[0] == 0


def test_it_goes_with_its_conversation(run: Run, state: Path, answerer: Path) -> None:
    run("Hi", "--model", answerer, "--save")
    assert len(files(state)) == 1
    library = Library(state)
    library.delete(library.find("").id)
    assert files(state) == []


def test_one_that_cannot_be_written_is_told(run: Run, state: Path, answerer: Path) -> None:
    state.mkdir(parents=True)
    (state / FOLDER).touch()
    result = run("Hi", "--model", answerer, "--save")
    assert result.code == 0
    assert "The prompt's state was not written" in result.err


class TestBounds:
    def test_the_newest_are_kept(self, tmp_path: Path) -> None:
        made = self.make(tmp_path, 5)
        bound_states(tmp_path, most=3)
        assert files(tmp_path) == sorted(made[2:])

    def test_up_to_so_many_bytes(self, tmp_path: Path) -> None:
        made = self.make(tmp_path, 5)
        bound_states(tmp_path, largest_bytes=250)
        assert files(tmp_path) == sorted(made[3:])

    def test_the_last_one_stays_however_large(self, tmp_path: Path) -> None:
        made = self.make(tmp_path, 2)
        bound_states(tmp_path, largest_bytes=10)
        assert files(tmp_path) == made[1:]

    def test_nothing_there(self, tmp_path: Path) -> None:
        bound_states(tmp_path)
        shutil.rmtree(tmp_path)
        bound_states(tmp_path)

    def make(self, folder: Path, count: int) -> list[Path]:
        made = []
        for number in range(count):
            file = state_file(folder, f"{number:032x}")
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(b"\0" * 100)
            os.utime(file, (number, number))
            made.append(file)
        return made
