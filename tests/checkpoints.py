"""Real gpt_oss checkpoints made on the spot: random weights of any geometry, in every layout that the engine loads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import mlx.core as mx
import numpy as np

Layout = Literal["mlx", "hf", "openai"]
"""mlx: gate/up/down apart, as mlx-lm writes. hf: `gate_up_proj` interleaved, (experts, in, out). openai:
`_blocks`/`_scales`."""
Affine = tuple[int, int]
"""(bits, group size)."""


def geometry(**changes: object) -> dict[str, object]:
    """A config.json for a tiny gpt_oss, with YaRN that mlx-lm agrees on; `changes` override fields (None removes
    one)."""
    config: dict[str, object] = {
        "architectures": ["GptOssForCausalLM"],
        "model_type": "gpt_oss",
        "num_hidden_layers": 4,
        "hidden_size": 64,
        "intermediate_size": 64,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 32,
        "num_local_experts": 4,
        "num_experts_per_tok": 2,
        "vocab_size": 1088,
        "sliding_window": 128,
        "max_position_embeddings": 131072,
        "initial_context_length": 4096,
        "rms_norm_eps": 1e-5,
        "swiglu_limit": 7.0,
        "rope_theta": 150000,
        "rope_scaling": {
            "rope_type": "yarn",
            "factor": 32.0,
            "beta_fast": 32.0,
            "beta_slow": 1.0,
            "original_max_position_embeddings": 4096,
            "truncate": True,
        },
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
    }
    config.update(changes)
    layers = config["num_hidden_layers"]
    assert isinstance(layers, int)
    config.setdefault("layer_types", ["sliding_attention" if i % 2 == 0 else "full_attention" for i in range(layers)])
    return {name: value for name, value in config.items() if value is not None}


def random_weights(config: Mapping[str, object], seed: int = 0) -> dict[str, np.ndarray]:
    """float32 tensors under mlx-lm's names, scaled so that greedy answers wander instead of looping at once."""
    rng = np.random.default_rng(seed)

    def size(name: str) -> int:
        value = config[name]
        assert isinstance(value, int)
        return value

    hidden, inner, experts, dim = (
        size(n) for n in ("hidden_size", "intermediate_size", "num_local_experts", "head_dim")
    )
    queries, keys = size("num_attention_heads") * dim, size("num_key_value_heads") * dim

    def normal(*shape: int, scale: float = 1.0) -> np.ndarray:
        return (rng.standard_normal(shape, dtype=np.float32) * np.float32(scale)).astype(np.float32)

    tensors = {
        "model.embed_tokens.weight": normal(size("vocab_size"), hidden),
        "model.norm.weight": 1 + normal(hidden, scale=0.1),
        "lm_head.weight": normal(size("vocab_size"), hidden, scale=2.5 * hidden**-0.5),
    }
    for layer in range(size("num_hidden_layers")):
        at = f"model.layers.{layer}."
        tensors[at + "input_layernorm.weight"] = 1 + normal(hidden, scale=0.1)
        tensors[at + "post_attention_layernorm.weight"] = 1 + normal(hidden, scale=0.1)
        tensors[at + "self_attn.sinks"] = normal(size("num_attention_heads"))
        shapes = {
            "q_proj": (queries, hidden),
            "k_proj": (keys, hidden),
            "v_proj": (keys, hidden),
            "o_proj": (hidden, queries),
        }
        for name, (rows, columns) in shapes.items():
            tensors[f"{at}self_attn.{name}.weight"] = normal(rows, columns, scale=1.5 * columns**-0.5)
            tensors[f"{at}self_attn.{name}.bias"] = normal(rows, scale=0.1)
        tensors[at + "mlp.router.weight"] = normal(experts, hidden, scale=2 * hidden**-0.5)
        tensors[at + "mlp.router.bias"] = normal(experts, scale=0.1)
        for name, rows, columns in (
            ("gate_proj", inner, hidden),
            ("up_proj", inner, hidden),
            ("down_proj", hidden, inner),
        ):
            tensors[f"{at}mlp.experts.{name}.weight"] = normal(experts, rows, columns, scale=2 * columns**-0.5)
            tensors[f"{at}mlp.experts.{name}.bias"] = normal(experts, rows, scale=0.1)
    return tensors


def tiny_checkpoint(
    folder: Path,
    *,
    layout: Layout = "mlx",
    affine: Affine | None = (4, 64),
    per_tensor: Mapping[str, Affine | Literal["mxfp4"]] | None = None,
    dtype: mx.Dtype = mx.bfloat16,
    shards: int = 2,
    seed: int = 0,
    eos: int | None = None,
    **changes: object,
) -> Path:
    """Writes a checkpoint into `folder` and returns it.

    `affine` quantises every matrix; `per_tensor` overrides by the end of a module's name (`mlp.router`), where the
    string `mxfp4` stands for that mode. Layout `openai` holds MXFP4 experts and everything else in `dtype`. `changes`
    go to `geometry`.
    """
    config = geometry(**changes)
    folder.mkdir(parents=True, exist_ok=True)
    tensors: dict[str, mx.array] = {}
    settings: dict[str, object] = {}
    weights = random_weights(config, seed)
    if layout == "mlx":
        for name, value in weights.items():
            module = name.removesuffix(".weight")
            matrix = name.endswith(".weight") and value.ndim >= 2
            how: Affine | Literal["mxfp4"] | None = affine if matrix else None
            for end, setting in (per_tensor or {}).items():
                if matrix and module.endswith(end):
                    how = setting
            if how is None:
                tensors[name] = mx.array(value).astype(dtype)
                continue
            mode, bits, group = ("mxfp4", 4, 32) if how == "mxfp4" else ("affine", *how)
            parts = mx.quantize(mx.array(value).astype(dtype), group_size=group, bits=bits, mode=mode)
            for end, part in zip(("weight", "scales", "biases"), parts, strict=False):
                tensors[f"{module}.{end}"] = part
            if how != affine:
                settings[module] = {"group_size": group, "bits": bits, "mode": mode}
        if affine or settings:
            bits, group = affine or (4, 64)
            config["quantization"] = {"group_size": group, "bits": bits, "mode": "affine", **settings}
    else:
        tensors = _published(weights, layout, dtype)
        if layout == "openai":
            config["quantization_config"] = {"quant_method": "mxfp4", "modules_to_not_convert": ["model.embed_tokens"]}
    _write(folder, config, tensors, shards, eos)
    return folder


def _published(weights: Mapping[str, np.ndarray], layout: Layout, dtype: mx.Dtype) -> dict[str, mx.array]:
    """The same weights as OpenAI and Transformers publish them: gate and up interleaved row by row."""
    tensors: dict[str, mx.array] = {}
    for name, value in weights.items():
        if "experts" not in name:
            tensors[name] = mx.array(value).astype(dtype)
        elif "gate_proj" in name:
            up = weights[name.replace("gate_proj", "up_proj")]
            pairs = np.stack([value, up], axis=2).reshape(value.shape[0], -1, *value.shape[2:])
            tensors |= _expert(name.replace("gate_proj", "gate_up_proj"), pairs, layout, dtype)
        elif "down_proj" in name:
            tensors |= _expert(name, value, layout, dtype)
    return tensors


def _expert(name: str, value: np.ndarray, layout: Layout, dtype: mx.Dtype) -> dict[str, mx.array]:
    module, _, kind = name.rpartition(".")
    if kind == "bias":
        return {module + "_bias": mx.array(value).astype(dtype)}
    if layout == "hf":
        return {module: mx.array(np.ascontiguousarray(value.swapaxes(1, 2))).astype(dtype)}
    packed, scales, *_ = mx.quantize(mx.array(value).astype(dtype), group_size=32, bits=4, mode="mxfp4")
    blocks = packed.view(mx.uint8).reshape(*scales.shape, 16)
    return {module + "_blocks": blocks, module + "_scales": scales}


def _write(
    folder: Path, config: Mapping[str, object], tensors: Mapping[str, mx.array], shards: int, eos: int | None
) -> None:
    names = list(tensors)
    where: dict[str, str] = {}
    for shard in range(shards):
        part = names[shard * len(names) // shards : (shard + 1) * len(names) // shards]
        file = f"model-{shard + 1:05d}-of-{shards:05d}.safetensors"
        mx.save_safetensors(str(folder / file), {name: tensors[name] for name in part}, metadata={"format": "mlx"})
        where |= dict.fromkeys(part, file)
    total = sum(tensors[name].nbytes for name in names)
    index = {"metadata": {"total_size": total}, "weight_map": where}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    (folder / "config.json").write_text(json.dumps(config, indent=2))
    if eos is not None:
        (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [eos]}))
