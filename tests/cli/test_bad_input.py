"""Whatever is wrong with what a person gives: one clear line, a hint under it, exit code 1, no traceback.

Each case damages a real checkpoint and runs the program in a process of its own.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.checkpoints import geometry, tiny_checkpoint
from tests.cli.program import assert_fault, gptoss, rewrite
from tests.vocabularies import cut_tokenizer_json

INDEX = "model.safetensors.index.json"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tiny_checkpoint(tmp_path_factory.mktemp("bad") / "whole", shards=3)
    cut_tokenizer_json(folder, 1024)
    return folder


@pytest.fixture
def model(whole: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    return shutil.copytree(whole, tmp_path / "model")


def shard(folder: Path, number: int = 2) -> Path:
    return folder / f"model-0000{number}-of-00003.safetensors"


def change_header(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Rewrites a shard's header in place; the data stays."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    change(header)
    written = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(written)) + written + data[8 + length :])


def cut(path: Path, keep: int) -> None:
    path.write_bytes(path.read_bytes()[:keep])


def drop_tensor(folder: Path) -> None:
    """One tensor less, in its shard and in the index: a whole checkpoint of another model."""
    name = "model.layers.1.self_attn.sinks"
    rewrite(folder / INDEX, lambda index: index["weight_map"].pop(name))
    for path in folder.glob("*.safetensors"):
        change_header(path, lambda header: header.pop(name, None))


def swap_shape(folder: Path) -> None:
    for path in folder.glob("*.safetensors"):
        change_header(
            path, lambda header: [entry["shape"].reverse() for name, entry in header.items() if "lm_head" in name]
        )


def lose_harmony(folder: Path) -> None:
    def change(tokenizer: dict[str, Any]) -> None:
        tokenizer["added_tokens"] = [token for token in tokenizer["added_tokens"] if token["content"] != "<|channel|>"]

    rewrite(folder / "tokenizer.json", change)


def become_a_file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.touch()


def config_becomes_a_folder(folder: Path) -> None:
    (folder / "config.json").unlink()
    (folder / "config.json").mkdir()


def lose_shards(folder: Path) -> None:
    for path in folder.glob("*.safetensors"):
        path.unlink()


def lose_weights(folder: Path) -> None:
    lose_shards(folder)
    (folder / INDEX).unlink()


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "folder is a file": (become_a_file, "is a file, not a folder"),
    "config missing": (lambda f: (f / "config.json").unlink(), "has no config.json"),
    "config no JSON": (lambda f: (f / "config.json").write_text("{model"), "config.json is not JSON"),
    "config not an object": (lambda f: (f / "config.json").write_text("[1]"), "config.json is not a JSON object"),
    "config a folder": (config_becomes_a_folder, "config.json"),
    "other model": (
        lambda f: rewrite(f / "config.json", lambda c: c.update(model_type="llama")),
        "'llama', not gpt_oss",
    ),
    "no model type": (lambda f: rewrite(f / "config.json", lambda c: c.pop("model_type")), "not gpt_oss"),
    "senseless size": (lambda f: rewrite(f / "config.json", lambda c: c.update(hidden_size="wide")), "hidden_size"),
    "size zero": (lambda f: rewrite(f / "config.json", lambda c: c.update(num_hidden_layers=0)), "num_hidden_layers"),
    "shard missing": (lambda f: shard(f).unlink(), "1 of 3 shards are missing"),
    "all shards missing": (lose_shards, "3 of 3 shards are missing"),
    "no weights at all": (lose_weights, "holds no model*.safetensors"),
    "shard truncated": (lambda f: cut(shard(f), shard(f).stat().st_size - 1000), "is truncated"),
    "shard empty": (lambda f: cut(shard(f), 0), "damaged header"),
    "header cut": (lambda f: cut(shard(f), 100), "damaged header"),
    "header senseless": (lambda f: shard(f).write_bytes(b"\xff" * 4096), "damaged header"),
    "header not JSON": (lambda f: shard(f).write_bytes(struct.pack("<Q", 8) + b"notjson!"), "damaged header"),
    "header nested": (lambda f: shard(f).write_bytes(struct.pack("<Q", 200_000) + b"[" * 200_000), "damaged header"),
    "index no JSON": (lambda f: (f / INDEX).write_text("not json"), "index.json is not JSON"),
    "index out of the folder": (
        lambda f: rewrite(f / INDEX, lambda i: i["weight_map"].update(evil="../../../etc/passwd")),
        "names shards outside its folder",
    ),
    "tensor missing": (drop_tensor, "model.layers.1.self_attn.sinks"),
    "tensor in the index only": (
        lambda f: rewrite(f / INDEX, lambda i: i["weight_map"].update(ghost=shard(f).name)),
        "the index names ghost",
    ),
    "wrong shape": (swap_shape, "lm_head"),
    "other geometry": (lambda f: rewrite(f / "config.json", lambda c: c.update(intermediate_size=96)), "experts"),
    "tokenizer missing": (lambda f: (f / "tokenizer.json").unlink(), "tokenizer.json"),
    "tokenizer no JSON": (lambda f: (f / "tokenizer.json").write_text("no"), "tokenizer.json"),
    "tokenizer without harmony": (lose_harmony, "lacks harmony's special tokens: <|channel|>"),
    "tokenizer larger than the model": (lambda f: cut_tokenizer_json(f, 2048), "vocabulary"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint(model: Path, damage: str) -> None:
    spoil, message = DAMAGES[damage]
    spoil(model)
    assert_fault(gptoss("run", "Hi", "--model", model, "--max-tokens", 2), message)


def test_the_checkpoint_that_all_of_these_damage_is_whole(model: Path) -> None:
    assert gptoss("run", "Hi", "--model", model, "--max-tokens", 2).code == 0


def test_the_folder_is_missing(tmp_path: Path) -> None:
    assert_fault(gptoss("run", "Hi", "--model", tmp_path / "absent"), "does not exist")
    assert_fault(gptoss(tmp_path / "absent"), "does not exist")


def test_a_name_with_escape_sequences_is_shown_not_obeyed(tmp_path: Path) -> None:
    result = gptoss("run", "Hi", "--model", tmp_path / "a\x1b[2J\nb")
    assert_fault(result, "␛[2J b does not exist")
    assert "\x1b" not in result.err


class Trap:
    """Unpickled, it makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.folder),)


def test_pickle_files_are_never_opened(model: Path, tmp_path: Path) -> None:
    pickled = pickle.dumps(Trap(tmp_path / "sprung"))
    for name in ("pytorch_model.bin", "model.pt", "consolidated.pth"):
        (model / name).write_bytes(pickled)
    assert gptoss("run", "Hi", "--model", model, "--max-tokens", 2).code == 0
    lose_weights(model)
    assert_fault(gptoss("run", "Hi", "--model", model), "holds its weights as pickle files only")
    assert not (tmp_path / "sprung").exists()
    pickle.loads(pickled)
    assert (tmp_path / "sprung").exists(), "the trap itself does not work"


def test_a_pickle_under_another_name_is_not_obeyed(model: Path, tmp_path: Path) -> None:
    shard(model).write_bytes(pickle.dumps(Trap(tmp_path / "sprung")) * 10)
    assert_fault(gptoss("run", "Hi", "--model", model), "damaged header")
    assert not (tmp_path / "sprung").exists()


def test_a_model_larger_than_memory_is_refused_before_loading(tmp_path: Path) -> None:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    rows = memory // (2 * 64) + 2**20
    (tmp_path / "config.json").write_text(json.dumps(geometry(vocab_size=rows)))
    cut_tokenizer_json(tmp_path, 1024)
    header = {"model.embed_tokens.weight": {"dtype": "BF16", "shape": [rows, 64], "data_offsets": [0, rows * 128]}}
    written = json.dumps(header).encode()
    with (tmp_path / "model.safetensors").open("wb") as file:
        file.write(struct.pack("<Q", len(written)) + written)
        # A hole: it takes no room on the disk.
        file.truncate(8 + len(written) + rows * 128)
    result = gptoss("run", "Hi", "--model", tmp_path)
    assert_fault(result, f"this machine has {memory / 2**30:.1f} GiB of memory")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--temperature", "nan"), "temperature cannot be NaN"),
        (("--temperature", "-0.1"), "temperature cannot be -0.1"),
        (("--temperature", "5.01"), "temperature cannot be 5.01"),
        (("--temperature", "inf"), "temperature cannot be inf"),
        (("--top-p", "0"), "top-p cannot be 0.0"),
        (("--top-p", "1.1"), "top-p cannot be 1.1"),
        (("--top-p", "nan"), "top-p cannot be NaN"),
        (("--top-k", "-1"), "top-k cannot be -1"),
        (("--min-p", "2"), "min-p cannot be 2.0"),
        (("--repetition-penalty", "0"), "repetition penalty cannot be 0.0"),
        (("--repetition-penalty", "nan"), "repetition penalty cannot be NaN"),
        (("--seed", "-1"), "seed cannot be -1"),
        (("--max-tokens", "0"), "max tokens cannot be 0"),
    ],
)
def test_sampling_out_of_range(options: tuple[str, str], message: str) -> None:
    # Before anything is looked for: there is no such model either.
    for begin in (("run", "Hi"), ()):
        assert_fault(gptoss(*begin, "--model", "/absent", *options), message)


class TestPrompts:
    @pytest.mark.parametrize("prompt", ["", " ", "\n\t"])
    def test_empty(self, model: Path, prompt: str) -> None:
        assert_fault(gptoss("run", prompt, "--model", model), "The prompt is empty")
        assert_fault(gptoss("run", "--model", model, stdin=prompt.encode()), "The prompt is empty")

    def test_stdin_closed(self, model: Path) -> None:
        assert_fault(gptoss("run", "--model", model, stdin=None), "standard input is closed")
        assert_fault(gptoss("run", "Read", "-", "--model", model, stdin=None), "standard input is closed")
        # Nothing is wanted from it here.
        assert gptoss("run", "Hi", "--model", model, "--max-tokens", 2, stdin=None).code == 0

    def test_longer_than_the_context(self, model: Path) -> None:
        rewrite(model / "config.json", lambda config: config.update(max_position_embeddings=300))
        result = gptoss("run", "--model", model, stdin=b"word " * 1000)
        assert_fault(result, "the model's context holds 300")
