"""The commands that look after checkpoints, run as people run them: reports, JSON, and every bad input named."""

from __future__ import annotations

import json
import shutil
import struct
from pathlib import Path

import pytest

from tests.checkpoints import tiny_checkpoint
from tests.cli.program import assert_fault, gptoss
from tests.vocabularies import cut_tokenizer_json


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint in order."""
    folder = tiny_checkpoint(tmp_path_factory.mktemp("desk") / "tiny", num_hidden_layers=2)
    cut_tokenizer_json(folder, ranks=1024)
    return folder


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """An environment whose home folder is empty."""
    return {"HOME": str(tmp_path), "HF_HUB_CACHE": str(tmp_path / "hub")}


def test_inspect(whole: Path) -> None:
    result = gptoss("inspect", whole, "--mac", 16)
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("tiny\n\nModel\n")
    assert "Fit (Metal, 16 GiB)" in result.out
    told = gptoss("inspect", whole, "--json").events[0]
    assert told["name"] == "tiny"
    assert told["problems"] == []


def test_inspect_tells_problems_and_fails(whole: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(whole, tmp_path / "broken")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"num_attention_heads": 8, "hidden_act": "\x1b[31mred"}))
    before = sorted(path.name for path in folder.iterdir())
    result = gptoss("inspect", folder)
    assert result.code == 1
    assert "problem" in result.out
    assert "sinks has shape 4 where the config asks for 8" in result.out
    assert "\x1b" not in result.out
    assert sorted(path.name for path in folder.iterdir()) == before


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("architecture", "is a checkpoint of type 'llama'"),
        ("loop", "is a link that leads nowhere"),
        ("offset", "damaged header"),
        ("half", "shards are missing"),
        ("name", "cannot be opened"),
        ("file", "is a file, not a folder"),
    ],
)
def test_bad_input_is_named(whole: Path, tmp_path: Path, damage: str, message: str) -> None:
    folder = shutil.copytree(whole, tmp_path / "bad")
    if damage == "architecture":
        (folder / "config.json").write_text('{"model_type": "llama"}')
    elif damage == "loop":
        (tmp_path / "loop").symlink_to(tmp_path / "loop")
        folder = tmp_path / "loop"
    elif damage == "offset":
        (folder / "model-00001-of-00002.safetensors").write_bytes(struct.pack("<Q", 2**63))
    elif damage == "half":
        (folder / "model-00002-of-00002.safetensors").unlink()
    elif damage == "name":
        folder = Path("x" * 5000)
    elif damage == "file":
        folder = folder / "config.json"
    assert_fault(gptoss("inspect", folder), message)


def test_models(whole: Path, home: dict[str, str]) -> None:
    result = gptoss("models", whole.parent, env=home)
    assert result.code == 0
    assert result.out.splitlines()[0].startswith("MODEL ")
    assert any(str(whole) in line and "fits" in line and "never" in line for line in result.out.splitlines())
    told = {one["name"]: one for one in gptoss("models", whole.parent, "--json", env=home).events}
    assert told[str(whole)]["fit"] == "fits"
    assert told[str(whole)]["problem"] is None
    assert_fault(gptoss("models", "/nonexistent", env=home), "does not exist")


def test_convert(tmp_path: Path) -> None:
    source = tiny_checkpoint(tmp_path / "openai", layout="openai", num_hidden_layers=2)
    cut_tokenizer_json(source, ranks=1024)
    before = sorted(path.name for path in tmp_path.iterdir())
    asked = ("convert", "--hf-path", source, "--mlx-path", tmp_path / "out")
    assert_fault(gptoss(*asked, "--q-bits", 4), "go with --quantize")
    assert_fault(gptoss(*asked, "--quantize", "--q-bits", 7), "no affine format of 7 bits")
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    result = gptoss(*asked, "--quantize", "--q-bits", 4)
    assert result.code == 0, result
    assert "--like-card would dequantise them first" in result.out
    assert "KL divergence from the source" in result.out
    card = gptoss(*asked[:-1], tmp_path / "card", "--quantize", "--like-card", "--no-verify", "--json").events[0]
    assert card["kind"] == "experts in affine 4-bit, group 64"
    assert card["kl_mean"] is None
    assert_fault(gptoss(*asked, "--quantize"), "exists already")
