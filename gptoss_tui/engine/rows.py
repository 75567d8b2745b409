"""Rows of keys and values outside of the caches: copies of a stretch of one layer, and what a row takes.

Knows positions and bytes; why rows are copied, and when they come back, is for others to know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import mlx.core as mx

from gptoss_tui.engine.config import ModelConfig


@dataclass(frozen=True, slots=True, eq=False)
class LayerRows:
    """One layer's rows of a stretch of tokens, in arrays of their own."""

    sliding: bool
    start: int
    """Position of the first row."""
    rows: mx.array
    """(2 * kv_heads, T, head_dim): keys first, then values."""
    pins: Mapping[int, mx.array]
    """The rows before pinned positions, which the layer had aside."""

    def arrays(self) -> list[mx.array]:
        """What must be evaluated for them to be a copy."""
        return [self.rows, *self.pins.values()]

    @property
    def nbytes(self) -> int:
        """Bytes of all of it."""
        return sum(array.nbytes for array in self.arrays())

    def behind(self, position: int) -> LayerRows:
        """What lies behind a position, copied."""
        pins = {pin: rows for pin, rows in self.pins.items() if pin > position}
        return replace(self.from_row(position), pins=pins)

    def from_row(self, start: int) -> LayerRows:
        """The same without the rows before `start`, copied."""
        first = max(0, start - self.start)
        return replace(self, start=self.start + first, rows=mx.contiguous(self.rows[:, first:]))


@dataclass(frozen=True, slots=True)
class RowSizes:
    """What one token's rows take in all layers of a kind together, and how far back sliding layers look."""

    full: int
    """Bytes in the full layers."""
    sliding: int
    """Bytes in the sliding layers; 0 where there are none."""
    back: int
    """Rows before a position that attention there looks at in sliding layers: window - 1, or 0 where none slides."""

    @classmethod
    def of(cls, config: ModelConfig, itemsize: int) -> RowSizes:
        """Those of a model whose numbers take `itemsize` bytes."""
        row = 2 * config.kv_heads * config.head_dim * itemsize
        sliding = config.attention.count("sliding")
        return cls(
            full=row * (config.layers - sliding), sliding=row * sliding, back=config.window - 1 if sliding else 0
        )

    def history_rows(self, nbytes: int) -> int:
        """Rows of history that so many bytes hold."""
        return max(0, nbytes) // self.sliding if self.sliding else 0
