"""Tensors by name out of a checkpoint's files, checked, cast and shaped for `loading`. It knows storage formats, not
the model.

Formats of a matrix: plain; affine of any bits and group (`weight`, `scales`, `biases`); the microscaling formats mxfp4,
mxfp8 and nvfp4 (`weight`, `scales`); OpenAI's mxfp4 (`_blocks`, `_scales`); experts as Transformers publishes them.
Bits, group and mode follow from dtypes and shapes, so that settings per tensor need no table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import mlx.core as mx
import numpy as np

from gptoss_tui.engine.checkpoint import TensorInfo
from gptoss_tui.engine.matrices import Dense, Matrix, Quantised
from gptoss_tui.engine.packing import packing
from gptoss_tui.errors import CheckpointError

Arrange = Callable[[mx.array], mx.array]

_FLOATING = ("F32", "BF16", "F16")
_WRONG = "This is not the model that its config.json describes: get the checkpoint again."


class Tensors:
    """Takes each tensor once; what was taken is no longer held here, so that its memory can go."""

    def __init__(self, name: str, found: Mapping[str, TensorInfo], dtype: mx.Dtype | None) -> None:
        """`dtype` is what floating-point numbers are cast to; None leaves them."""
        self.name = name
        self.dense = False
        self.done_bytes = 0
        self._found = dict(found)
        self._dtype = dtype
        self._open: dict[Path, dict[str, mx.array]] = {}

    def holds(self, name: str) -> bool:
        """Whether the tensor is there and was not taken yet."""
        return name in self._found

    def vector(self, name: str, *shape: int) -> mx.array:
        """A plain tensor of this shape."""
        return self._cast(self._take(name, shape, *_FLOATING))

    def either(self, names: tuple[str, str], *shape: int) -> mx.array:
        """The plain tensor under whichever of two names it has."""
        return self.vector(names[0] if self.holds(names[0]) else names[1], *shape)

    def table(self, name: str, rows: int, columns: int) -> Matrix:
        """An embedding: a matrix whose rows are looked up."""
        return self._stored(name, (rows, columns), keep_rows=True)

    def matrix(self, name: str, out: int, inputs: int, arrange: Arrange | None = None) -> Matrix:
        """`name.weight` as a map from `inputs` to `out`; `arrange` reorders its rows."""
        return self._stored(name, (out, inputs), arrange)

    def experts(self, name: str, count: int, out: int, inputs: int, arrange: Arrange | None = None) -> Matrix:
        """A stack of `count` matrices, in any layout; `arrange` reorders their rows, which are axis 1."""
        if self.holds(name + "_blocks"):
            return self._finish(self._openai(name, (count, out, inputs)), arrange)
        if self.holds(name):
            return self._finish(self._transformers(name, (count, out, inputs)), arrange)
        return self._stored(name, (count, out, inputs), arrange)

    def finish(self) -> None:
        """Raises `CheckpointError` if the files hold tensors that no part of the model took."""
        if self._found:
            names = ", ".join(name[:80] for name in sorted(self._found)[:3])
            raise CheckpointError(
                f"{self.name} holds {len(self._found)} tensors that gpt_oss has not ({names})", _WRONG
            )

    def _stored(
        self, name: str, shape: tuple[int, ...], arrange: Arrange | None = None, keep_rows: bool = False
    ) -> Matrix:
        if self.holds(f"{name}.scales"):
            return self._finish(self._quantised(name, shape), arrange, keep_rows)
        return self._finish(self.vector(f"{name}.weight", *shape), arrange, keep_rows)

    def _finish(self, found: mx.array | Quantised, arrange: Arrange | None = None, keep_rows: bool = False) -> Matrix:
        """The matrix as it will be used: rows in order, dequantised where that is wanted, laid out for its products."""
        if isinstance(found, Quantised):
            if arrange is not None:
                found = found.arranged(arrange)
            if not self.dense:
                return found
            plain = self._cast(found.dequantised())
        else:
            plain = found if arrange is None else arrange(found)
        across = plain.swapaxes(-1, -2)
        # The CPU's product reads (in, out) in order about twice as fast; a table is read by rows of (out, in) instead.
        # A dtype cannot be compared with None.
        on_cpu = self._dtype is not None and self._dtype == mx.float32
        return Dense(mx.contiguous(across) if on_cpu and not keep_rows else across)

    def _quantised(self, name: str, shape: tuple[int, ...]) -> Quantised:
        """MLX's formats: `weight`, `scales` and, for affine, `biases`."""
        packed, scaled = self._found.get(f"{name}.weight"), self._found[f"{name}.scales"]
        if packed is None:
            raise CheckpointError(f"{self.name} lacks {name}.weight", _WRONG)
        affine = self.holds(f"{name}.biases")
        how = packing(packed.shape, scaled.shape, shape, affine)
        if how is None:
            raise CheckpointError(
                f"{self.name}: {name} has weights {packed.shape} and scales {scaled.shape}, which do not pack {shape}",
                _WRONG,
            )
        weight = self._take(f"{name}.weight", packed.shape, "U32")
        scales = self._cast(self._take(f"{name}.scales", scaled.shape, *(_FLOATING if affine else ("U8",))))
        biases = self.vector(f"{name}.biases", *scaled.shape) if affine else None
        return Quantised(weight, scales, biases, how.group, how.bits, how.mode)

    def _openai(self, name: str, shape: tuple[int, ...]) -> Quantised:
        """OpenAI's mxfp4: blocks of 32 numbers in 16 bytes, one scale a block; the same bits as MLX's mxfp4."""
        scale_shape = (*shape[:-1], shape[-1] // 32)
        blocks = self._take(name + "_blocks", (*scale_shape, 16), "U8")
        scales = self._take(name + "_scales", scale_shape, "U8")
        return Quantised(blocks.view(mx.uint32).flatten(-2), scales, None, 32, 4, "mxfp4")

    def _transformers(self, name: str, shape: tuple[int, int, int]) -> mx.array:
        """Plain experts without `.weight`: (experts, in, out) as Transformers writes them, or (experts, out, in)."""
        count, out, inputs = shape
        if self._found[name].shape == (count, inputs, out):
            return self.vector(name, count, inputs, out).swapaxes(1, 2)
        return self.vector(name, *shape)

    def _take(self, name: str, shape: tuple[int, ...], *dtypes: str) -> mx.array:
        """The tensor, of one of these types, lazily read, and no longer held here."""
        info = self._found.pop(name, None)
        if info is None:
            raise CheckpointError(f"{self.name} lacks the tensor {name}", _WRONG)
        if info.shape != shape:
            raise CheckpointError(
                f"{self.name}: {name} has shape {info.shape} where the config asks for {shape}", _WRONG
            )
        if info.dtype not in dtypes:
            raise CheckpointError(
                f"{self.name}: {name} holds numbers of type {info.dtype}, not {' or '.join(dtypes)}", _WRONG
            )
        if info.file not in self._open:
            # The headers were checked before; what MLX reads now is what they describe.
            loaded = mx.load(str(info.file))
            assert isinstance(loaded, dict)
            self._open[info.file] = loaded
        self.done_bytes += info.nbytes
        return self._open[info.file].pop(name)

    def _cast(self, array: mx.array) -> mx.array:
        """Floating-point numbers in the precision of the device; integers (packed weights, mxfp4's scales) as they
        are."""
        floating = mx.issubdtype(array.dtype, mx.floating)
        return array.astype(self._dtype) if floating and self._dtype is not None else array


def pairs_together(rows: int, head_dim: int) -> mx.array:
    """The order of `rows` that puts RoPE's pairs (i, i + head_dim/2) of each head side by side: (rows,) int."""
    order = np.arange(rows).reshape(-1, 2, head_dim // 2).swapaxes(1, 2)
    return mx.array(order.reshape(-1))


def split_interleaved(rows: int) -> mx.array:
    """The order that puts rows 0, 2, 4 … first and 1, 3, 5 … after them: gate, then up. (rows,) int."""
    return mx.array(np.concatenate([np.arange(0, rows, 2), np.arange(1, rows, 2)]))
