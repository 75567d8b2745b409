"""Makes a checkpoint of gpt-oss-20b's geometry with random 4-bit weights: the real size and speed, none of the sense.

    python -m tests.benchmarks.card_checkpoint FOLDER [--layers 24]

Takes 11.8 GB of disk (RAM disks do well) and a minute. The router has 8 bits, as mlx-lm converts it. No tokenizer:
`gptoss bench` needs none.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import mlx.core as mx

from tests.checkpoints import geometry

CARD = {
    "hidden_size": 2880,
    "intermediate_size": 2880,
    "num_attention_heads": 64,
    "num_key_value_heads": 8,
    "head_dim": 64,
    "num_local_experts": 32,
    "num_experts_per_tok": 4,
    "vocab_size": 201_088,
}


def main() -> None:
    """Writes the folder named on the command line."""
    parser = argparse.ArgumentParser(description="Make a random checkpoint of gpt-oss-20b's geometry.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--layers", type=int, default=24)
    options = parser.parse_args()
    write_card_checkpoint(options.folder, options.layers)


def write_card_checkpoint(folder: Path, layers: int = 24) -> None:
    """One shard a layer and one for the rest, so that no more than a layer is in memory at a time."""
    folder.mkdir(parents=True, exist_ok=True)
    quantization: dict[str, object] = {"group_size": 64, "bits": 4}
    where: dict[str, str] = {}
    mx.random.seed(0)
    hidden, experts, inner = CARD["hidden_size"], CARD["num_local_experts"], CARD["intermediate_size"]
    queries, keys = 64 * CARD["num_attention_heads"], 64 * CARD["num_key_value_heads"]
    for index in range(layers):
        at = f"model.layers.{index}."
        tensors = {
            at + f"{name}.weight": mx.ones((hidden,), mx.bfloat16)
            for name in ("input_layernorm", "post_attention_layernorm")
        }
        tensors[at + "self_attn.sinks"] = mx.random.normal((CARD["num_attention_heads"],)).astype(mx.bfloat16)
        for name, rows, columns in (("q_proj", queries, hidden), ("k_proj", keys, hidden), ("v_proj", keys, hidden)):
            tensors |= _matrix(f"{at}self_attn.{name}", (rows, columns), bias=True)
        tensors |= _matrix(at + "self_attn.o_proj", (hidden, queries), bias=True)
        tensors |= _matrix(at + "mlp.router", (experts, hidden), bits=8, bias=True)
        quantization[at + "mlp.router"] = {"group_size": 64, "bits": 8}
        for name, rows, columns in (
            ("gate_proj", inner, hidden),
            ("up_proj", inner, hidden),
            ("down_proj", hidden, inner),
        ):
            tensors |= _matrix(f"{at}mlp.experts.{name}", (experts, rows, columns), bias=True)
        where |= _save(folder, f"model-{index + 1:05d}-of-{layers + 1:05d}.safetensors", tensors)
    tensors = {"model.norm.weight": mx.ones((hidden,), mx.bfloat16)}
    for name in ("model.embed_tokens", "lm_head"):
        tensors |= _matrix(name, (CARD["vocab_size"], hidden))
    where |= _save(folder, f"model-{layers + 1:05d}-of-{layers + 1:05d}.safetensors", tensors)
    listed = {"metadata": {}, "weight_map": where}
    (folder / "model.safetensors.index.json").write_text(json.dumps(listed))
    config = geometry(**CARD, num_hidden_layers=layers, quantization=quantization)
    (folder / "config.json").write_text(json.dumps(config, indent=2))


def _matrix(name: str, shape: tuple[int, ...], bits: int = 4, bias: bool = False) -> dict[str, mx.array]:
    """Random packed weights with scales that give them the spread of 1/sqrt(inputs)."""
    *lead, columns = shape
    scale = (12 / columns) ** 0.5 / 2**bits
    scales = mx.full((*lead, columns // 64), scale, mx.bfloat16)
    tensors = {
        f"{name}.weight": mx.random.randint(0, 2**32, (*lead, columns * bits // 32), dtype=mx.uint32),
        f"{name}.scales": scales,
        f"{name}.biases": scales * (-(2**bits - 1) / 2),
    }
    if bias:
        tensors[f"{name}.bias"] = mx.zeros(lead, mx.bfloat16)
    return tensors


def _save(folder: Path, file: str, tensors: dict[str, mx.array]) -> dict[str, str]:
    mx.save_safetensors(str(folder / file), tensors, metadata={"format": "mlx"})
    return dict.fromkeys(tensors, file)


if __name__ == "__main__":
    main()
