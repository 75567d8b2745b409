"""Which checkpoint this is, wherever its folder lies: a digest that is cheap to take and hard to get wrong.

Rows of keys and values are worth nothing under other weights, so whoever stores them must know later that the weights
are the very same. Reading all of them to be sure would cost as much as loading. Two checkpoints that differ, differ
nearly everywhere: another quantisation has other sizes and headers, another training other numbers throughout. So the
digest is over config.json (as values, whatever its layout), each shard's name, size and header, and 64 samples of its
bytes, spread evenly from the first to the last. Only a change of a few chosen weights would go unseen.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from gptoss_tui.engine.jsonfile import read_json

SAMPLES = 64
"""Places of each shard that are looked at."""

SAMPLE_BYTES = 4096
"""Bytes at each of them."""


def checkpoint_identity(folder: Path, shards: list[Path]) -> str:
    """The digest, 64 hexadecimal digits; the folder's own name and the shards' dates are no part of it.

    Raises `OSError` and `CheckpointError` where a file cannot be read.
    """
    digest = hashlib.sha256(b"gptoss checkpoint 1\n")
    digest.update(json.dumps(read_json(folder / "config.json"), sort_keys=True).encode())
    for shard in sorted(shards, key=lambda path: path.name):
        size = shard.stat().st_size
        digest.update(f"\n{shard.name} {size}\n".encode())
        with shard.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            digest.update(file.read(length))
            first, last = 8 + length, max(8 + length, size - SAMPLE_BYTES)
            for sample in range(SAMPLES):
                file.seek(first + (last - first) * sample // (SAMPLES - 1))
                digest.update(file.read(SAMPLE_BYTES))
    return digest.hexdigest()
