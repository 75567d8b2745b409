"""Trained weights on their way from the training machine: bfloat16 in files of less than 16 MiB.

The high bytes (sign and exponent) of bfloat16 weights compress to about half, the low bytes hardly at all: each plane
is packed by itself. `save` needs PyTorch, `load` NumPy only.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

_PIECE = 15 * 2**20


def save(folder: Path, tensors: Mapping[str, Tensor], about: Mapping[str, object]) -> None:
    """Writes about.json (shapes in order, and `about`) and weights-NN.bin."""
    import torch

    flat = torch.cat([tensor.float().bfloat16().flatten() for tensor in tensors.values()]).cpu()
    halves = flat.view(torch.int16).numpy().view(np.uint16)
    high = lzma.compress((halves >> 8).astype(np.uint8).tobytes(), preset=1)
    data = high + (halves & 255).astype(np.uint8).tobytes()
    for number, start in enumerate(range(0, len(data), _PIECE)):
        (folder / f"weights-{number:02}.bin").write_bytes(data[start : start + _PIECE])
    shapes = [(name, list(tensor.shape)) for name, tensor in tensors.items()]
    (folder / "about.json").write_text(json.dumps({"high_bytes": len(high), "shapes": shapes, **about}))


def load(folder: Path) -> tuple[dict[str, NDArray[np.float32]], dict[str, object]]:
    """The tensors as float32 (exactly the bfloat16 values), and what was said about them."""
    about = json.loads((folder / "about.json").read_text())
    data = b"".join(file.read_bytes() for file in sorted(folder.glob("weights-*.bin")))
    high = np.frombuffer(lzma.decompress(data[: about["high_bytes"]]), dtype=np.uint8)
    low = np.frombuffer(data[about["high_bytes"] :], dtype=np.uint8)
    flat = (((high.astype(np.uint32) << 8) | low) << 16).view(np.float32)
    tensors: dict[str, NDArray[np.float32]] = {}
    place = 0
    for name, shape in about["shapes"]:
        size = int(np.prod(shape))
        tensors[name] = flat[place : place + size].reshape(shape)
        place += size
    return tensors, about
