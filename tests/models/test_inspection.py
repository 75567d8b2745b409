"""What a checkpoint is, read from its headers: the published card figure by figure, every layout, every damage."""

from __future__ import annotations

import json
import os
import shutil
import struct
from pathlib import Path
from typing import Any

import mlx.core as mx
import pytest

from gptoss_tui.engine.loading import load_model
from gptoss_tui.errors import CheckpointError
from gptoss_tui.harmony.vocabulary import load_vocabulary
from gptoss_tui.models.card import lines, sections
from gptoss_tui.models.description import describe
from gptoss_tui.models.fit import fit, mac
from gptoss_tui.models.generation import sampling_defaults
from gptoss_tui.models.inspection import inspect
from tests.checkpoints import tiny_checkpoint
from tests.models.sparse import card_checkpoint
from tests.vocabularies import cut_tokenizer_json


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 GB of gpt-oss-20b that take no disk."""
    return card_checkpoint(tmp_path_factory.mktemp("card") / "gpt-oss-20b-MLX-4bit")


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A checkpoint in order; tests damage it."""
    folder = tiny_checkpoint(tmp_path / "tiny", vocab_size=1088, eos=1028, eos_token_id=1028)
    cut_tokenizer_json(folder, ranks=1024)
    return folder


def change_config(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_the_published_card(card: Path) -> None:
    found = inspect(card)
    assert found.problems == ()
    assert round(found.bits_per_weight, 3) == 4.504
    assert round(found.config.parameters / 1e9, 2) == 20.91
    assert round(found.active_parameters / 1e9, 2) == 3.61  # OpenAI's own figures
    assert [name for name, _ in found.shards] == [f"model-0000{i}-of-00003.safetensors" for i in (1, 2, 3)]
    assert 10.9 < found.weights_bytes / 2**30 < 11.0
    text = lines(sections(found, [fit(found, mac(16))]))
    for label, figure in {
        "Hidden size": "2,880",
        "Intermediate size": "2,880",
        "Layers": "24",
        "Attention heads": "64",
        "KV heads": "8",
        "Head dimension": "64",
        "Vocabulary": "201,088",
        "Experts": "32",
        "Experts per token": "4",
        "Router auxiliary loss coefficient": "0.9",
        "SwiGLU limit": "7",
        "Sliding window": "128 tokens",
        "Positions": "131,072 tokens",
        "Initial context": "4,096 tokens",
        "Pattern": "alternating, sliding first",
        "Theta": "150,000",
        "Factor": "32",
        "Beta fast, slow": "32, 1",
        "Padding (pad)": "199999",
        "Hidden activation": "silu",
        "RMSNorm epsilon": "1e-05",
        "Initializer range": "0.02",
        "Dropout": "0.0",
        "Bias": "yes",
    }.items():
        assert any(line.split("  ", 2)[1:] and line.strip().startswith(label) and line.endswith(f"  {figure}")
                   for line in text.splitlines()), label  # fmt: skip
    assert "affine 4-bit, group 64" in text


def test_bytes_read_for_a_token(card: Path) -> None:
    read = inspect(card).bytes_per_token
    assert read["experts"] / 1e9 == pytest.approx(1.344, rel=5e-3)
    assert read["attention"] / 1e9 == pytest.approx(0.358, rel=5e-3)
    assert read["head"] / 1e9 == pytest.approx(0.326, rel=5e-3)
    assert sum(read.values()) / 1e9 == pytest.approx(2.03, rel=5e-3)


def test_the_kv_cache_of_the_card(card: Path) -> None:
    cost = inspect(card).kv
    assert cost.token_bytes == 24_576
    assert cost.full_bytes(131_072) == 24_576 * 131_072
    assert cost.sliding_bytes(131_072) == cost.sliding_bytes(128) == 12 * 2048 * 128
    assert cost.pin_bytes == 12 * 2048 * 127
    assert cost.history_bytes(131_072) == 256 * 2**20
    assert cost.history_bytes(100) == 0


def test_the_kv_cache_is_what_the_engine_allocates(tiny: Path) -> None:
    from gptoss_tui.engine.cache import KVCache

    found = inspect(tiny)
    cache = KVCache(found.config, history_bytes=256 * 2**20, itemsize=2)
    for layer in cache.layers:
        layer.append(mx.zeros((2, 200, 32), mx.bfloat16), mx.zeros((2, 200, 32), mx.bfloat16))
    states = cache.states()
    assert sum(state.used_bytes for state in states) == found.kv.full_bytes(200) + found.kv.sliding_bytes(200)
    assert sum(state.history_bytes for state in states) == found.kv.history_bytes(200)


@pytest.mark.parametrize("layout", ["mlx", "hf", "openai"])
def test_every_layout(tmp_path: Path, layout: Any) -> None:
    folder = tiny_checkpoint(tmp_path, layout=layout, affine=(4, 64) if layout == "mlx" else None)
    cut_tokenizer_json(folder, ranks=1024)
    found = inspect(folder)
    assert found.problems == ()
    assert found.storage.layout == {"mlx": "mlx", "hf": "transformers", "openai": "openai"}[layout]
    assert sum(part.parameters for part in found.storage.parts) == found.config.parameters
    assert sum(part.nbytes for part in found.storage.parts) == found.weights_bytes
    loaded = load_model(folder)
    assert (loaded.info.parameters, loaded.info.bits_per_weight) == (found.config.parameters, found.bits_per_weight)
    assert {part.format for part in found.summaries() if part.group == "experts"} == {
        {"mlx": "affine 4-bit, group 64", "hf": "bfloat16", "openai": "mxfp4"}[layout]
    }


def test_mixed_formats_are_told_apart(tmp_path: Path) -> None:
    mixed = {"mlp.router": (8, 64), "down_proj": "mxfp4", "v_proj": (6, 32)}
    folder = tiny_checkpoint(tmp_path, per_tensor=mixed)  # type: ignore[arg-type] # a dict of literals is wider
    cut_tokenizer_json(folder, ranks=1024)
    found = inspect(folder)
    assert found.problems == ()
    formats = {(part.group, part.format): part.count for part in found.summaries()}
    assert formats["router", "affine 8-bit, group 64"] == 4
    assert formats["experts", "mxfp4"] == 4
    assert formats["experts", "affine 4-bit, group 64"] == 8
    assert formats["attention", "affine 6-bit, group 32"] == 4


def test_as_json(tiny: Path) -> None:
    found = inspect(tiny)
    told = json.loads(json.dumps(describe(found, [fit(found, mac(8))])))
    assert told["parameters"] == found.config.parameters
    assert told["geometry"]["attention"] == ["sliding", "full"] * 2
    assert told["fit"][0]["verdict"] == "fits"
    assert told["problems"] == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"hidden_size": 128}, "has weights and scales of"),
        ({"num_attention_heads": 8}, "sinks has shape 4 where the config asks for 8"),
        ({"num_hidden_layers": 5, "layer_types": None}, "tensors that the config asks for are missing"),
        ({"num_hidden_layers": 3, "layer_types": None}, "are not part of a gpt_oss model"),
        ({"vocab_size": 1000}, "lies outside the vocabulary of 1,000"),
        ({"eos_token_id": 5000}, "eos token 1028"),
        ({"eos_token_id": "<|return|>"}, "config.json: eos_token_id cannot be '<|return|>'"),
        ({"eos_token_id": [1028, None]}, "config.json: eos_token_id cannot be [1028, None]"),
        (
            {"quantization": {"bits": 4, "group_size": 64, "lm_head": {"bits": 8, "group_size": 64}}},
            "describes the quantisation of lm_head (affine 4-bit, group 64, not 8-bit, group 64) wrongly",
        ),
    ],
)
def test_a_config_that_disagrees(tiny: Path, changes: dict[str, object], problem: str) -> None:
    change_config(tiny, **changes)
    found = inspect(tiny)
    if problem.startswith("eos token"):  # generation_config.json's, which is right, counts
        assert found.problems == ()
    else:
        assert any(problem in text for text in found.problems), found.problems


def test_what_is_wrong_is_not_loaded(tiny: Path) -> None:
    change_config(tiny, num_attention_heads=8)
    with pytest.raises(CheckpointError):
        load_model(tiny)


def test_an_index_that_lies(tiny: Path) -> None:
    path = tiny / "model.safetensors.index.json"
    index = json.loads(path.read_text())
    moved = next(name for name, shard in index["weight_map"].items() if "00001" in shard)
    index["weight_map"][moved] = "model-00002-of-00002.safetensors"
    del index["weight_map"]["lm_head.weight"]
    index["metadata"]["total_size"] = 7
    path.write_text(json.dumps(index))
    found = inspect(tiny)
    assert any("lacks 1 tensors" in text and "lm_head.weight" in text for text in found.problems)
    assert any(f"another shard for {moved}" in text for text in found.problems)
    assert any("claims 7 bytes" in text for text in found.notes)


def test_half_downloaded(tiny: Path) -> None:
    shard = tiny / "model-00002-of-00002.safetensors"
    os.truncate(shard, shard.stat().st_size - 1)
    with pytest.raises(CheckpointError, match="truncated"):
        inspect(tiny)
    shard.unlink()
    with pytest.raises(CheckpointError, match="1 of 2 shards are missing"):
        inspect(tiny)
    (tiny / "model.safetensors.index.json").unlink()
    assert "1 of 2 shards are here" in inspect(tiny).problems


def test_no_tokenizer(tiny: Path) -> None:
    (tiny / "tokenizer.json").unlink()
    assert inspect(tiny).problems == ("tokenizer.json is missing: nobody can talk to this model",)


def test_a_tokenizer_of_something_else(tiny: Path) -> None:
    (tiny / "tokenizer.json").write_text('{"model": {}, "added_tokens": [{"id": 3, "content": "<|return|>"}]}')
    assert any("lacks harmony's special tokens <|call|>" in text for text in inspect(tiny).problems)
    (tiny / "tokenizer.json").write_text("[" * 100_000)
    assert any("tokenizer.json is not JSON" in text for text in inspect(tiny).problems)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "generation_config.json"])
def test_a_pipe_is_not_waited_for(tiny: Path, name: str) -> None:
    (tiny / name).unlink(missing_ok=True)
    os.mkfifo(tiny / name)
    if name == "config.json":
        with pytest.raises(CheckpointError, match="not a regular file"):
            inspect(tiny)
        return
    assert any("not a regular file" in problem for problem in inspect(tiny).problems)
    assert sampling_defaults(tiny).temperature == 1
    if name == "tokenizer.json":
        with pytest.raises(CheckpointError, match="not a regular file"):
            load_vocabulary(tiny)


def test_an_id_that_the_configs_forget_is_a_note(tiny: Path) -> None:
    (tiny / "generation_config.json").write_text('{"eos_token_id": [1026]}')
    assert any("also stops on <|call|>" in text for text in inspect(tiny).notes)


@pytest.mark.parametrize(
    "header",
    [
        struct.pack("<Q", 2**63),
        struct.pack("<Q", 2**64 - 1) + b"{}",
        struct.pack("<Q", 0),
        b"\0\0",
        b"",
    ],
)
def test_absurd_headers_allocate_nothing(tiny: Path, header: bytes) -> None:
    (tiny / "model-00001-of-00002.safetensors").write_bytes(header)
    with pytest.raises(CheckpointError, match="damaged header"):
        inspect(tiny)


@pytest.mark.parametrize("offsets", [[0, 2**63], [2**63, 2**63 + 8], [-8, 0], [8, 0], [0, 1e300], [0]])
def test_absurd_offsets_allocate_nothing(tiny: Path, offsets: list[float]) -> None:
    entry = {"dtype": "F32", "shape": [2**61 if offsets[-1] == 2**63 else 2], "data_offsets": offsets}
    text = json.dumps({"lm_head.weight": entry}).encode()
    (tiny / "model-00001-of-00002.safetensors").write_bytes(struct.pack("<Q", len(text)) + text)
    with pytest.raises(CheckpointError, match=r"damaged header|truncated"):
        inspect(tiny)


def test_a_loop_of_links(tiny: Path) -> None:
    shard = tiny / "model-00001-of-00002.safetensors"
    shard.unlink()
    shard.symlink_to(shard.name)
    with pytest.raises(CheckpointError):
        inspect(tiny)


def test_another_architecture(tiny: Path) -> None:
    change_config(tiny, model_type="llama")
    with pytest.raises(CheckpointError, match="of type 'llama', not gpt_oss"):
        inspect(tiny)


def test_the_name_of_a_snapshot(tiny: Path, tmp_path: Path) -> None:
    snapshot = tmp_path / "models--someone--a-model" / "snapshots" / "0123abcd"
    shutil.copytree(tiny, snapshot)
    assert inspect(snapshot).name == "someone/a-model"
    assert inspect(tiny).name == "tiny"
