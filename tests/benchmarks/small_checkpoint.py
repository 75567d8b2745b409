"""Makes the checkpoint of the CPU figures: 8 layers, hidden 256, 8 experts top 2, vocabulary 4,096, 4 bit.

python -m tests.benchmarks.small_checkpoint FOLDER
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tests.checkpoints import tiny_checkpoint
from tests.vocabularies import cut_tokenizer_json

VOCABULARY = 4096
SPECIALS = 9
"""Harmony tokens that a cut vocabulary holds behind its ranks."""


def write_small_checkpoint(folder: Path) -> Path:
    """Random weights, and o200k's first ranks as the vocabulary."""
    tiny_checkpoint(
        folder,
        num_hidden_layers=8,
        hidden_size=256,
        intermediate_size=256,
        num_attention_heads=8,
        num_key_value_heads=2,
        head_dim=64,
        num_local_experts=8,
        num_experts_per_tok=2,
        vocab_size=VOCABULARY,
    )
    cut_tokenizer_json(folder / "tokenizer.json", ranks=VOCABULARY - SPECIALS)
    return folder


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make the checkpoint of the CPU figures.")
    parser.add_argument("folder", type=Path)
    write_small_checkpoint(parser.parse_args().folder)
