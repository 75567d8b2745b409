"""JSON that came with a checkpoint: every kind of damage is named, and nothing absurd is read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gptoss_tui.engine.config import read_config
from gptoss_tui.engine.jsonfile import LARGEST, read_json
from gptoss_tui.errors import CheckpointError


def test_what_it_says(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"ü": [1]}', encoding="utf-8")
    assert read_json(path) == {"ü": [1]}


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_json(tmp_path / "a.json")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00", b"[" * 200_000, b"9" * 10_000])
def test_no_json(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="is not JSON"):
        read_json(path)


def test_absurdly_large(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.touch()
    os.truncate(path, LARGEST + 1)
    with pytest.raises(CheckpointError, match="absurd"):
        read_json(path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.json")
    with pytest.raises(CheckpointError, match="not a regular file"):
        read_json(tmp_path / "a.json")


def test_a_link_to_itself(tmp_path: Path) -> None:
    (tmp_path / "a.json").symlink_to(tmp_path / "a.json")
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_json(tmp_path / "a.json")


def test_an_absurd_number_of_layers_allocates_nothing(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "gpt_oss", "num_hidden_layers": 2000000000}')
    with pytest.raises(CheckpointError, match="num_hidden_layers cannot be 2000000000"):
        read_config(tmp_path)
