"""A result appears whole or not at all, and what a killed process left is known for what it is."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from gptoss_tui.models.whole import sweep_partial, whole_or_nothing
from tests.checkpoints import tiny_checkpoint
from tests.cli.program import PATIENCE_S, command, environment, gptoss, heed_signals
from tests.vocabularies import cut_tokenizer_json


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Large enough that a conversion of it can be met under way."""
    folder = tiny_checkpoint(
        tmp_path_factory.mktemp("whole") / "original", layout="openai", num_hidden_layers=2, vocab_size=60_000
    )
    cut_tokenizer_json(folder, ranks=1024)
    return folder


def test_it_appears_when_it_is_whole(tmp_path: Path) -> None:
    with whole_or_nothing(tmp_path / "out") as folder:
        (folder / "file").write_text("x")
        assert not (tmp_path / "out").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    with pytest.raises(IsADirectoryError), whole_or_nothing(tmp_path / "other") as folder:
        folder.write_text("x")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_only_what_nobody_writes_is_swept(tmp_path: Path) -> None:
    left = tmp_path / ".out.123.partial"
    left.mkdir()
    (left / "half").write_bytes(b"x" * 1000)
    (tmp_path / ".out2.123.partial").mkdir()
    (tmp_path / ".out.7.partial").symlink_to(tmp_path)
    (tmp_path / ".out.8.partial").write_text("a file")
    with whole_or_nothing(tmp_path / "out") as folder:
        assert sweep_partial(tmp_path / "out") == 1000
        assert folder.is_dir()
    assert not left.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".out.7.partial",
        ".out.8.partial",
        ".out2.123.partial",
        "out",
    ]
    assert sweep_partial(tmp_path / "[o]ut") is None
    assert sweep_partial(tmp_path / "nowhere" / "out") is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_conversion_that_is_ended_by_a_signal(original: Path, tmp_path: Path, number: signal.Signals) -> None:
    target = tmp_path / "out"
    asked = ("convert", "--hf-path", original, "--mlx-path", target, "--quantize", "--no-verify")
    with subprocess.Popen(
        command(*asked), env=environment(), stderr=subprocess.PIPE, preexec_fn=heed_signals
    ) as process:
        deadline = time.monotonic() + PATIENCE_S
        # At the earliest moment; only what is killed must have written something to be told of later.
        while not any(tmp_path.glob(".out.*/*.safetensors" if number == signal.SIGKILL else ".out.*")):
            assert time.monotonic() < deadline
            time.sleep(0.001)
        process.send_signal(number)
        code = process.wait(PATIENCE_S)
    assert not target.exists()
    assert code == (-number if number == signal.SIGKILL else 128 + number)
    left = os.listdir(tmp_path)
    assert bool(left) == (number == signal.SIGKILL)
    again = gptoss(*asked)
    assert again.code == 0, again
    assert ("left unfinished" in again.err) == (number == signal.SIGKILL)
    assert os.listdir(tmp_path) == ["out"]
