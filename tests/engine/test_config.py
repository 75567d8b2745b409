"""config.json as geometry: every field, every default, every damage."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from gptoss_tui.engine.config import parse_config, read_config
from gptoss_tui.errors import CheckpointError
from tests.checkpoints import geometry, random_weights


def write(folder: Path, content: object) -> Path:
    (folder / "config.json").write_text(content if isinstance(content, str) else json.dumps(content))
    return folder


def test_every_field_is_read(tmp_path: Path) -> None:
    config = read_config(
        write(tmp_path, geometry(num_hidden_layers=3, layer_types=None, num_experts_per_tok=None, experts_per_token=3))
    )
    assert config.attention == ("sliding", "full", "sliding")
    assert config.layers == 3
    assert (config.window, config.hidden, config.intermediate) == (128, 64, 64)
    assert (config.heads, config.kv_heads, config.head_dim, config.qkv_rows) == (4, 2, 32, 8)
    assert (config.experts, config.experts_per_token, config.vocabulary) == (4, 3, 1088)
    assert (config.context, config.norm_eps, config.swiglu_limit) == (131072, 1e-5, 7.0)
    rope = config.rope
    assert (rope.theta, rope.factor, rope.beta_fast, rope.beta_slow) == (150000, 32, 32, 1)
    assert (rope.original, rope.truncate) == (4096, True)
    assert rope.concentration == pytest.approx(1.3465735902799727)


def test_defaults_are_the_cards() -> None:
    config = parse_config({"model_type": "gpt_oss"}, "config.json")
    assert (config.layers, config.heads, config.experts, config.vocabulary) == (36, 64, 128, 201088)
    assert config.rope.factor == 1
    assert config.rope.concentration == 1


def test_the_form_of_transformers_5() -> None:
    moved = {"rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0, "truncate": False}
    config = parse_config(geometry(rope_theta=None, rope_scaling=None, rope_parameters=moved), "config.json")
    assert (config.rope.theta, config.rope.factor, config.rope.truncate) == (10000, 4, False)


@pytest.mark.parametrize("changes", [{}, {"num_hidden_layers": 1}, {"num_local_experts": 7, "intermediate_size": 96}])
def test_parameters_are_counted(changes: dict[str, object]) -> None:
    raw = geometry(**changes)
    assert parse_config(raw, "").parameters == sum(tensor.size for tensor in random_weights(raw).values())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is not JSON"),
        ("{", "is not JSON"),
        ("[" * 200_000, "is not JSON"),
        ("[]", "is not a JSON object"),
        ('"gpt_oss"', "is not a JSON object"),
        ({}, "of type None, not gpt_oss"),
        ({"model_type": "llama"}, "of type 'llama', not gpt_oss"),
        ({"model_type": ["gpt_oss"]}, "not gpt_oss"),
    ],
)
def test_what_is_no_config(tmp_path: Path, content: object, message: str) -> None:
    with pytest.raises(CheckpointError, match=message) as caught:
        read_config(write(tmp_path, content))
    assert caught.value.hint


def test_no_config_at_all(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(CheckpointError, match=r"has no config\.json"):
            read_config(folder)


def test_a_config_that_is_a_folder_or_a_loop(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.symlink_to(path)
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_config(tmp_path)
    path.unlink()
    path.mkdir()
    with pytest.raises(CheckpointError, match="not a regular file"):
        read_config(tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {"hidden_size": 0},
        {"hidden_size": -64},
        {"hidden_size": "64"},
        {"hidden_size": 64.0},
        {"hidden_size": True},
        {"hidden_size": [64]},
        {"hidden_size": 2**31},
        {"vocab_size": 10**400},
        {"num_hidden_layers": 2**31 - 1, "layer_types": []},
        {"rms_norm_eps": 0},
        {"rms_norm_eps": math.nan},
        {"rms_norm_eps": math.inf},
        {"swiglu_limit": 10**400},
        {"rms_norm_eps": "1e-5"},
        {"num_attention_heads": 5},
        {"num_experts_per_tok": 5},
        {"head_dim": 33},
        {"layer_types": ["sliding_attention"]},
        {"layer_types": ["sliding_attention"] * 3 + ["chunked_attention"]},
        {"layer_types": "sliding_attention"},
        {"layer_types": [["sliding_attention"]] * 4},
        {"rope_theta": 1},
        {"rope_theta": 0.5},
        {"rope_theta": -150000},
        {"rope_scaling": "yarn"},
        {"rope_scaling": {"rope_type": "llama3"}},
        {"rope_scaling": {"rope_type": "yarn", "factor": -1}},
        {"rope_scaling": {"rope_type": "yarn", "factor": 32, "beta_fast": 0}},
        {"rope_scaling": {"rope_type": "yarn", "factor": 32, "original_max_position_embeddings": 0.5}},
    ],
    ids=lambda changes: str(changes)[:60],
)
def test_senseless_figures(changes: dict[str, object]) -> None:
    with pytest.raises(CheckpointError, match=r"^config\.json: ") as caught:
        parse_config(geometry() | changes, "config.json")
    assert caught.value.hint


@pytest.mark.parametrize(
    "changes", [{"hidden_size": 10**4000}, {"model_type": "x" * 10**6}, {"rope_scaling": {"type": "x" * 10**6}}]
)
def test_a_fault_stays_a_line(tmp_path: Path, changes: dict[str, object]) -> None:
    with pytest.raises(CheckpointError) as fault:
        read_config(write(tmp_path, geometry(**changes)))
    assert len(fault.value.message) < 300 + len(str(tmp_path))
