"""What the doctor finds on machines, in terminals and in folders, in order and not."""

from __future__ import annotations

import os
import pty
import termios
import threading
import tomllib
from pathlib import Path

import pytest

from gptoss_tui.cli import checkup
from gptoss_tui.cli.terminal import QUESTION, Answers, ask, judge, understand
from gptoss_tui.config import config_file
from gptoss_tui.engine.memory import GIB
from gptoss_tui.models.fit import Machine, mac
from gptoss_tui.models.listing import list_models
from tests.checkpoints import tiny_checkpoint
from tests.cli.program import ROOT, gptoss

KITTY = b"\x1b[?2026;2$y\x1b[?62;52;c"


def test_the_table_of_packages_is_pyprojects() -> None:
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    names = {line.split(";")[0].split(",")[0].replace("[cpu]", "") for line in asked}
    assert names == {f"{name}>={oldest}" for name, oldest in checkup.NEEDED.items()}


def test_packages() -> None:
    good = dict(checkup.NEEDED)
    assert {one.state for one in checkup.packages(good)} == {"ok"}
    late = {one.about: one for one in checkup.packages(good | {"mlx": "0.31.10", "textual": "10.0.0rc1"})}
    assert (late["mlx"].state, late["textual"].state) == ("problem", "ok")
    assert late["mlx"].remedy == "pip install -U 'mlx>=0.32.2'"
    del good["tiktoken"]
    assert [one.about for one in checkup.packages(good) if one.state == "problem"] == ["tiktoken"]


@pytest.mark.parametrize(
    ("machine", "states"),
    [
        (mac(16), ["ok", "ok"]),
        (mac(8), ["ok", "note"]),
        (Machine("CPU", 32 * GIB, None), ["note", "ok"]),
        (Machine("none", 32 * GIB, None), ["problem", "ok"]),
    ],
)
def test_devices(machine: Machine, states: list[str]) -> None:
    assert [one.state for one in checkup.device(machine)] == states


HOSTS = {
    "Linux": (checkup.Host("Linux", "6.1", "x86_64"), "ok", ""),
    "Apple silicon": (checkup.Host("Darwin", "25.1", "arm64", "26.1"), "ok", "macOS 26.1"),
    "old macOS": (checkup.Host("Darwin", "21.0", "arm64", "12.7"), "problem", "MLX needs 14.0"),
    "Intel Mac": (checkup.Host("Darwin", "23.0", "x86_64", "14.5"), "problem", "an Intel Mac"),
    "Rosetta": (checkup.Host("Darwin", "25.1", "x86_64", "26.1", translated=True), "problem", "Rosetta"),
}


@pytest.mark.parametrize("name", HOSTS)
def test_platforms(name: str) -> None:
    host, state, text = HOSTS[name]
    found = {one.about: one for one in checkup.system(host)}
    assert (found["Platform"].state, text in found["Platform"].text) == (state, True)
    assert bool(found["Platform"].remedy) == (state == "problem")
    assert "needed: 3.11" in found["Python"].text


def test_an_intel_mac_is_not_told_to_install_what_does_not_exist() -> None:
    without = {name: oldest for name, oldest in checkup.NEEDED.items() if name != "mlx"}
    found = {one.about: one for one in checkup.packages(without, intel_mac=True)}
    assert "Intel" in found["mlx"].text
    assert "pip" not in found["mlx"].remedy


def test_limits() -> None:
    (found,) = checkup.limits(2**32)
    assert (found.state, found.remedy) == ("note", "ulimit -v unlimited")
    assert "4.0 GiB" in found.text


def test_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert [one.state for one in checkup.settings()] == ["ok"]
    file = config_file()
    file.parent.mkdir(parents=True)
    file.write_text("them = 1\n")
    (found,) = checkup.settings()
    assert (found.state, "line 1" in found.text, bool(found.remedy)) == ("problem", True, True)


def test_folders(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = list(checkup.folders({"good": tmp_path, "new": tmp_path / "a" / "b", "bad": tmp_path / "file" / "x"}))
    assert [one.state for one in found] == ["ok", "ok", "problem"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]


def test_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tiny_checkpoint(tmp_path / "tiny", num_hidden_layers=2)
    (folder / "model-00001-of-00002.safetensors").unlink()
    findings = list(checkup.models(list(list_models(mac(16), [folder]))))
    assert any(one.state == "problem" and "1 of 2 shards" in one.text and one.remedy for one in findings)
    assert findings[-1].state == "note"
    assert "gptoss pull" in findings[-1].remedy


def test_a_cache_that_cannot_be_looked_at_is_no_fault(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path), "HF_HUB_CACHE": str(tmp_path / ("x" * 5000))}
    for command in ("doctor", "models"):
        result = gptoss(command, env=home)
        assert "Traceback" not in result.err
        assert "demo" in result.out


def test_a_terminal_that_does_not_tell_its_size() -> None:
    (found,) = [one for one in judge({"TERM": "xterm"}, (0, 0), "utf-8", Answers()) if one.about == "Size"]
    assert "does not tell" in found.text


def test_a_good_terminal() -> None:
    environment = {"TERM": "xterm-kitty", "COLORTERM": "truecolor"}
    assert {one.state for one in judge(environment, (120, 36), "utf-8", understand(KITTY))} == {"ok"}


def test_a_poor_terminal() -> None:
    found = {one.about: one.state for one in judge({"TERM": "dumb"}, (30, 10), "ascii", Answers())}
    assert found.pop("Unicode") == "problem"
    assert set(found.values()) == {"note"}


@pytest.mark.parametrize(
    ("heard", "answers"),
    [
        (KITTY, Answers(True, True)),
        (b"\x1b[?2026;0$y\x1b[?1;2c", Answers(False, False)),
        (b"\x1b[?2026;4$y\x1b[?1;2c", Answers(False, False)),
        (b"\x1b[?1;2c", Answers(False, False)),
        (b"abc", Answers(None, None)),
        (b"", Answers(None, None)),
    ],
)
def test_what_terminals_answer(heard: bytes, answers: Answers) -> None:
    assert understand(heard) == answers


def test_asking_a_terminal_leaves_it_as_it_was() -> None:
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)

    def answer() -> None:
        asked = b""
        while not asked.endswith(QUESTION):
            asked += os.read(ours, 1)
        os.write(ours, KITTY)

    thread = threading.Thread(target=answer)
    thread.start()
    assert ask(theirs, patience_s=30) == Answers(True, True)
    thread.join()
    assert termios.tcgetattr(theirs) == before
    assert ask(theirs, patience_s=0) == Answers()
    assert termios.tcgetattr(theirs) == before
    os.close(ours)
    os.close(theirs)


def test_what_is_no_terminal_is_not_asked() -> None:
    read, write = os.pipe()
    assert ask(read) == Answers()
    os.close(read)
    os.close(write)


def test_the_command(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path), "HF_HUB_CACHE": str(tmp_path / "hub"), "HF_HUB_OFFLINE": "1"}
    result = gptoss("doctor", env=home)
    assert result.code == 0, result
    assert "ok       Python: 3." in result.out
    assert "unset HF_HUB_OFFLINE" in result.out
    told = gptoss("doctor", "--json", env=home).events[0]
    assert told["problems"] == 0
    assert {"state", "about", "found", "remedy"} == set(told["findings"][0])
    assert list(tmp_path.iterdir()) == []
