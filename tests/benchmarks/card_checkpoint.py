"""Makes a checkpoint of gpt-oss-20b's geometry with random 4-bit weights: the real size and speed, none of the sense.

    python -m tests.benchmarks.card_checkpoint FOLDER [--layers 24] [--shards 3] [--layout mlx] [--tokenizer]

Takes 11.8 GB of disk (RAM disks do well) and a minute. Names, shapes, formats and configs are those of the published
4-bit conversion (tests/models/sparse.py), or of what it is made from: `--layout openai`, with experts in MXFP4, and
`--layout transformers`, all in bfloat16. `--tokenizer` adds the genuine vocabulary, which `gptoss run` needs and
`gptoss bench` does not; it wants the package bpe-openai. Without it nothing but mlx and NumPy is needed.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import mlx.core as mx

from tests.models.sparse import LAYOUTS, Tensor, describe_checkpoint, shard_names


def main() -> None:
    """Writes the folder named on the command line."""
    parser = argparse.ArgumentParser(description="Make a random checkpoint of gpt-oss-20b's geometry.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--layers", type=int, default=24)
    parser.add_argument("--shards", type=int, default=3)
    parser.add_argument("--layout", choices=LAYOUTS, default="mlx")
    parser.add_argument("--tokenizer", action="store_true")
    options = parser.parse_args()
    write_card_checkpoint(
        options.folder, options.layers, options.shards, layout=options.layout, tokenizer=options.tokenizer
    )


def write_card_checkpoint(
    folder: Path, layers: int = 24, shards: int = 3, *, layout: str = "mlx", tokenizer: bool = False
) -> Path:
    """One shard is in memory at a time. Returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    mx.random.seed(0)
    tensors = LAYOUTS[layout](layers)
    for file, names in shard_names(tensors, shards).items():
        arrays = {name: _fill(name, tensors) for name in names}
        mx.eval(arrays)
        mx.save_safetensors(str(folder / file), arrays, metadata={"format": "mlx"})
        del arrays
        mx.clear_cache()
    return describe_checkpoint(
        folder,
        tensors,
        shards,
        layers=layers,
        tokenizer=tokenizer,
        original=layout == "openai",
        plain=layout == "transformers",
    )


def _fill(name: str, tensors: Mapping[str, Tensor]) -> mx.array:
    """Random weights with the spread of 1/sqrt(inputs), packed ones by their scales and biases."""
    dtype, shape = tensors[name]
    module, _, end = name.rpartition(".")
    if dtype == "U32":
        return mx.random.randint(0, 2**32, shape, dtype=mx.uint32)
    if end.endswith("_blocks"):  # two numbers a byte
        return mx.random.randint(0, 256, shape).astype(mx.uint8)
    if end.endswith("_scales"):  # exponents of two, over 127
        return mx.full(shape, 120, mx.uint8)
    if len(shape) > 1 and not end.endswith("bias") and end not in ("scales", "biases"):
        inputs = shape[1] if end.endswith("_proj") else shape[-1]
        return mx.multiply(mx.random.normal(shape, dtype=mx.bfloat16), inputs**-0.5)
    if end in ("scales", "biases"):
        scale = (12 / (64 * shape[-1])) ** 0.5 / 16
        return mx.full(shape, scale if end == "scales" else -7.5 * scale, mx.bfloat16)
    if end == "sinks":
        return mx.random.normal(shape).astype(mx.bfloat16)
    return mx.full(shape, 1.0 if "norm" in module else 0.0, mx.bfloat16)


if __name__ == "__main__":
    main()
