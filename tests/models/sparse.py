"""A checkpoint with all of gpt-oss-20b's geometry whose weights are holes in sparse files: 12 GB that take no disk.

Headers, index, configs and tokenizer are complete, so that everything but the weights can be read.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Mapping
from math import prod
from pathlib import Path

from tests.checkpoints import geometry
from tests.vocabularies import genuine_tokenizer_json

CARD: dict[str, object] = {
    "num_hidden_layers": 24,
    "hidden_size": 2880,
    "intermediate_size": 2880,
    "num_attention_heads": 64,
    "num_key_value_heads": 8,
    "head_dim": 64,
    "num_local_experts": 32,
    "num_experts_per_tok": 4,
    "experts_per_token": 4,
    "vocab_size": 201_088,
    "router_aux_loss_coef": 0.9,
    "hidden_act": "silu",
    "initializer_range": 0.02,
    "attention_dropout": 0.0,
    "attention_bias": True,
    "eos_token_id": 200_002,
    "pad_token_id": 199_999,
    "quantization": {"group_size": 64, "bits": 4},
    "rope_scaling": {
        "rope_type": "yarn",
        "factor": 32.0,
        "beta_fast": 32.0,
        "beta_slow": 1.0,
        "original_max_position_embeddings": 4096,
        "truncate": False,
    },
}
"""config.json of the published 4-bit conversion."""

Tensor = tuple[str, tuple[int, ...]]
"""safetensors' dtype and the shape."""

_ITEM = {"U32": 4, "BF16": 2, "U8": 1}


def card_tensors(layers: int = 24) -> dict[str, Tensor]:
    """Every tensor of gpt-oss-20b in affine 4-bit, group 64, as mlx-lm 0.26.3 wrote it: the router too."""
    tensors: dict[str, Tensor] = {}

    def matrix(name: str, *shape: int, bias: bool = True) -> None:
        *lead, inputs = shape
        tensors[f"{name}.weight"] = ("U32", (*lead, inputs // 8))
        tensors[f"{name}.scales"] = tensors[f"{name}.biases"] = ("BF16", (*lead, inputs // 64))
        if bias:
            tensors[f"{name}.bias"] = ("BF16", tuple(lead))

    matrix("model.embed_tokens", 201_088, 2880, bias=False)
    for index in range(layers):
        at = f"model.layers.{index}."
        for name in ("input_layernorm", "post_attention_layernorm"):
            tensors[f"{at}{name}.weight"] = ("BF16", (2880,))
        tensors[at + "self_attn.sinks"] = ("BF16", (64,))
        for name, rows, columns in (
            ("q_proj", 4096, 2880),
            ("k_proj", 512, 2880),
            ("v_proj", 512, 2880),
            ("o_proj", 2880, 4096),
        ):
            matrix(f"{at}self_attn.{name}", rows, columns)
        matrix(at + "mlp.router", 32, 2880)
        for name in ("gate_proj", "up_proj", "down_proj"):
            matrix(f"{at}mlp.experts.{name}", 32, 2880, 2880)
    tensors["model.norm.weight"] = ("BF16", (2880,))
    matrix("lm_head", 201_088, 2880, bias=False)
    return tensors


def original_tensors(layers: int = 24) -> dict[str, Tensor]:
    """Every tensor of gpt-oss-20b as OpenAI publishes it: experts in MXFP4, the rest in bfloat16."""
    tensors: dict[str, Tensor] = {}
    for name, (dtype, shape) in card_tensors(layers).items():
        end = name.rpartition(".")[2]
        if ".experts." in name:
            continue
        if dtype == "U32":
            tensors[name] = ("BF16", (*shape[:-1], shape[-1] * 8))
        elif end not in ("scales", "biases"):
            tensors[name] = (dtype, shape)
    for index in range(layers):
        for name, rows in (("gate_up_proj", 5760), ("down_proj", 2880)):
            at = f"model.layers.{index}.mlp.experts.{name}"
            tensors[at + "_blocks"] = ("U8", (32, rows, 90, 16))
            tensors[at + "_scales"] = ("U8", (32, rows, 90))
            tensors[at + "_bias"] = ("BF16", (32, rows))
    return tensors


def unquantised_tensors(layers: int = 24) -> dict[str, Tensor]:
    """Every tensor of gpt-oss-20b in bfloat16, in Transformers' layout: experts as (experts, in, out)."""
    tensors: dict[str, Tensor] = {}
    for name, tensor in original_tensors(layers).items():
        if name.endswith("_blocks"):
            _, (experts, rows, groups, _) = tensor
            tensors[name.removesuffix("_blocks")] = ("BF16", (experts, 32 * groups, rows))
        elif not name.endswith("_scales"):
            tensors[name] = tensor
    return tensors


LAYOUTS = {"mlx": card_tensors, "openai": original_tensors, "transformers": unquantised_tensors}
"""What each layout's tensors are, by the number of layers."""


def card_checkpoint(folder: Path, *, shards: int = 3, tokenizer: bool = True, original: bool = False) -> Path:
    """Writes the folder of the card, or of the original that it was made from, with an index, and returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = original_tensors() if original else card_tensors()
    for file, names in shard_names(tensors, shards).items():
        sparse_file(folder / file, {name: tensors[name] for name in names})
    return describe_checkpoint(folder, tensors, shards, tokenizer=tokenizer, original=original)


def shard_names(tensors: Mapping[str, Tensor], shards: int) -> dict[str, list[str]]:
    """Which tensors lie in which file: about as many in each."""
    names = list(tensors)
    return {
        f"model-{shard + 1:05d}-of-{shards:05d}.safetensors": names[
            shard * len(names) // shards : (shard + 1) * len(names) // shards
        ]
        for shard in range(shards)
    }


def describe_checkpoint(
    folder: Path,
    tensors: Mapping[str, Tensor],
    shards: int,
    *,
    layers: int = 24,
    tokenizer: bool = True,
    original: bool = False,
    plain: bool = False,
) -> Path:
    """Writes everything but the weights: index, configs, and the genuine vocabulary where it is wanted."""
    where = {name: file for file, names in shard_names(tensors, shards).items() for name in names}
    total = sum(_ITEM[dtype] * prod(shape) for dtype, shape in tensors.values())
    index = {"metadata": {"total_size": total}, "weight_map": where}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    quantised: dict[str, object] = {"quantization": None} if original or plain else {}
    if original:
        quantised["quantization_config"] = {"quant_method": "mxfp4"}
    config = geometry(**CARD | quantised | {"num_hidden_layers": layers})
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "generation_config.json").write_text(
        json.dumps({"eos_token_id": [200_002, 199_999, 200_012], "pad_token_id": 199_999})
    )
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        (folder / name).write_text("{}")
    (folder / "chat_template.jinja").write_text("")
    if tokenizer:
        genuine_tokenizer_json(folder)
    return folder


def sparse_file(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """A safetensors file with a true header and nothing but zeros behind it, which take no disk."""
    header: dict[str, object] = {"__metadata__": {"format": "mlx"}}
    at = 0
    for name, (dtype, shape) in tensors.items():
        size = _ITEM[dtype] * prod(shape)
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text)
    os.truncate(path, 8 + len(text) + at)
