"""Attention with sinks over a layer's cache, in the two ways that are fastest where they run.

`FusedAttention` is for Metal and CUDA, where each kernel launch costs: MLX's own rotation and attention kernels.
`PlainAttention` is for the CPU, where those kernels fall apart into dozens of operations: a rotation is one complex
multiplication, and attention two products and a softmax. Both give each head's softmax one logit more, the *sink*,
whose share is thrown away (Xiao et al., 2023, arXiv 2309.17453).

Shapes: L new tokens, T visible ones, D the head's dimension, G query heads to a KV head.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Protocol

import mlx.core as mx
import numpy as np

from gptoss_tui.engine import host
from gptoss_tui.engine.cache import LayerCache
from gptoss_tui.engine.config import ModelConfig
from gptoss_tui.engine.rope import inverse_frequencies


class Attention(Protocol):
    """What `Model` asks of either way."""

    scale: float
    """What the products of `queries` and cached keys must be multiplied by."""

    def begin(self, count: int, position: int) -> None:
        """Announces a pass over `count` tokens from `position` on, for what all layers share."""
        ...

    def remember(self, qkv: mx.array, cache: LayerCache, pins: Collection[int]) -> mx.array:
        """Turns qkv (L, heads + 2 kv_heads, D) by position, caches keys and values; queries (kv_heads, G, L, D)."""
        ...

    def __call__(
        self, queries: mx.array, keys: mx.array, values: mx.array, sinks: mx.array, window: int | None
    ) -> mx.array:
        """Mixes the values (kv_heads, T, D) that each query may see: (L, heads * D)."""
        ...


class FusedAttention:
    """With MLX's kernels. YaRN's concentration, on queries and keys alike, goes into the scale."""

    def __init__(self, config: ModelConfig) -> None:
        self.config = config
        self.scale = config.rope.concentration**2 / math.sqrt(config.head_dim)
        # The kernel wants periods over 2 pi, not frequencies.
        self._periods = mx.array(1.0 / inverse_frequencies(config.rope, config.head_dim), mx.float32)
        self._position = 0
        self._mask: mx.array | None = None

    def begin(self, count: int, position: int) -> None:
        self._position = position
        self._mask = None

    def remember(self, qkv: mx.array, cache: LayerCache, pins: Collection[int]) -> mx.array:
        config = self.config
        turning = config.heads + config.kv_heads
        by_head = qkv.swapaxes(0, 1)
        turned = mx.fast.rope(
            by_head[None, :turning], config.head_dim, traditional=True,
            base=None, scale=1.0, offset=self._position, freqs=self._periods,
        )[0]  # fmt: skip
        cache.append(turned[config.heads :], by_head[turning:], pins=pins)
        return turned[: config.heads].reshape(config.kv_heads, -1, len(qkv), config.head_dim)

    def __call__(
        self, queries: mx.array, keys: mx.array, values: mx.array, sinks: mx.array, window: int | None
    ) -> mx.array:
        count, seen = queries.shape[2], keys.shape[1]
        mask: mx.array | str | None = None if count == 1 else "causal"
        if window is not None and count > 1 and seen > window:
            if self._mask is None:  # the same for every sliding layer of this pass
                self._mask = visible_mask(count, seen, window)
            mask = self._mask
        mixed = mx.fast.scaled_dot_product_attention(
            queries.reshape(1, self.config.heads, count, -1), keys[None], values[None],
            scale=self.scale, mask=mask, sinks=sinks,
        )  # fmt: skip
        return mixed[0].swapaxes(0, 1).reshape(count, -1)


class PlainAttention:
    """In plain operations on float32. The rotation's table carries the scale on the query rows and leaves values
    alone."""

    def __init__(self, config: ModelConfig) -> None:
        self.config = config
        self.scale = 1.0
        self._frequencies = inverse_frequencies(config.rope, config.head_dim)
        kinds = np.repeat([0, 1, 2], [config.heads, config.kv_heads, config.kv_heads])[:, None]
        scale = config.rope.concentration**2 / math.sqrt(config.head_dim)
        self._turning = np.choose(kinds, [scale, 1.0, 0.0])  # (heads + 2 kv_heads, 1): queries, keys, values
        self._still = np.choose(kinds, [0.0, 0.0, 1.0])
        self._table = mx.array(0)
        self._masks: dict[int | None, mx.array] = {}

    def begin(self, count: int, position: int) -> None:
        angles = np.arange(position, position + count)[:, None, None] * self._frequencies
        self._table = mx.array((np.exp(1j * angles) * self._turning + self._still).astype(np.complex64))
        self._masks = {}

    def remember(self, qkv: mx.array, cache: LayerCache, pins: Collection[int]) -> mx.array:
        config = self.config
        turned = (qkv.view(mx.complex64) * self._table).view(mx.float32).swapaxes(0, 1)
        cache.append(turned[config.heads :], pins=pins)
        return turned[: config.heads].reshape(config.kv_heads, -1, len(qkv), config.head_dim)

    def __call__(
        self, queries: mx.array, keys: mx.array, values: mx.array, sinks: mx.array, window: int | None
    ) -> mx.array:
        if host.pays(queries):
            return host.attention(queries, keys, values, sinks, window)
        config = self.config
        count, seen = queries.shape[2], keys.shape[1]
        rows = queries.reshape(config.kv_heads, -1, config.head_dim)
        scores = (rows @ keys.swapaxes(1, 2)).reshape(config.heads, count, seen)
        if count > 1:
            if window not in self._masks:  # the same for every layer of a kind in this pass
                self._masks[window] = visible_mask(count, seen, window)
            scores = mx.where(self._masks[window], scores, -mx.inf)
        # A softmax over the scores and the sink, of which the sink's share is dropped.
        sink = sinks[:, None, None]
        peak = mx.maximum(scores.max(axis=-1, keepdims=True), sink)
        weights = mx.exp(scores - peak)
        total = weights.sum(axis=-1, keepdims=True) + mx.exp(sink - peak)
        mixed = (weights.reshape(config.kv_heads, -1, seen) @ values).reshape(config.heads, count, -1) / total
        return mixed.swapaxes(0, 1).reshape(count, -1)


def visible_mask(count: int, seen: int, window: int | None) -> mx.array:
    """Which of the last `seen` tokens each of the last `count` may see: (count, seen) bool.

    A token sees itself and those before it, in a sliding layer `window` in all.
    """
    query = mx.arange(seen - count, seen)[:, None]
    key = mx.arange(seen)[None]
    mask = key <= query
    return mask if window is None else mask & (key > query - window)


def attention_row(queries: mx.array, keys: mx.array, sinks: mx.array, scale: float) -> mx.array:
    """How one token's heads weigh T cached keys: queries (kv_heads, G, D), keys (kv_heads, T, D) to (heads, T).

    Rows sum to less than 1; the rest went to the sink.
    """
    scores = (queries @ keys.swapaxes(1, 2)).reshape(-1, keys.shape[1]) * scale
    return mx.softmax(mx.concatenate([sinks[:, None].astype(scores.dtype), scores], axis=1), axis=1)[:, 1:]
