"""gpt-oss, forward: token ids in, logits of the next token out.

Each layer is attention over what was read so far, then a mixture of experts; both read the normalised residual stream
and add to it. Follows OpenAI's reference (openai/gpt-oss, gpt_oss/torch/model.py) and is proven against it by a float64
NumPy version in tests/engine/reference.py. Activations are (L, hidden) for L consecutive tokens of one sequence.

It knows no sampling and no loop; `loading` builds it, `cache` holds what it remembers, `generator` drives it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial

import mlx.core as mx

from gptoss_tui.engine import unpacking
from gptoss_tui.engine.attention import Attention, FusedAttention, PlainAttention, attention_row
from gptoss_tui.engine.cache import KVCache, LayerCache
from gptoss_tui.engine.config import ModelConfig
from gptoss_tui.engine.matrices import Matrix

SORT_FROM = 64
"""Token-expert pairs from which sorting them by expert pays, so that each expert's weights are read once."""

SWIGLU_ALPHA = 1.702


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer's weights."""

    attention_norm: mx.array
    """(hidden,)."""
    qkv: Matrix
    """hidden -> (heads + 2 kv_heads) * head_dim: queries, keys, values. The pairs that RoPE turns lie next to each
    other in queries and keys (see `loading`)."""
    qkv_bias: mx.array
    sinks: mx.array
    """(heads,): a logit for "attend to nothing" that each head's softmax includes."""
    output: Matrix
    """heads * head_dim -> hidden."""
    output_bias: mx.array
    expert_norm: mx.array
    """(hidden,)."""
    router: Matrix
    """hidden -> experts."""
    router_bias: mx.array
    gate_up: Matrix
    """For each expert hidden -> 2 * intermediate: gate, then up."""
    gate_up_bias: mx.array
    """(experts, 1, 2 * intermediate)."""
    down: Matrix
    """For each expert intermediate -> hidden."""
    down_bias: mx.array
    """(experts, 1, hidden)."""

    def arrays(self) -> list[mx.array]:
        """Every array of the layer."""
        plain = [self.attention_norm, self.qkv_bias, self.sinks, self.output_bias]
        plain += [self.expert_norm, self.router_bias, self.gate_up_bias, self.down_bias]
        matrices = (self.qkv, self.output, self.router, self.gate_up, self.down)
        return plain + [array for matrix in matrices for array in matrix.arrays()]


@dataclass(slots=True)
class Taps:
    """What an instrument wants to see of a forward pass; whatever is off costs nothing.

    After the call the lists hold lazy arrays, which the caller evaluates with the logits.
    """

    router: bool = False
    attention_layer: int | None = None
    experts: list[mx.array] = field(default_factory=list)
    """For each layer (experts_per_token,): the experts of the last token, strongest first."""
    attention: mx.array | None = None
    """(heads, T): how the last token's heads weigh the T rows that `attention_layer` sees; each row sums to less than
    1, the rest going to the sink."""


class Model:
    """The whole model. Its arrays belong to the thread that made them."""

    def __init__(
        self, config: ModelConfig, embedding: Matrix, layers: Sequence[Layer], norm: mx.array, head: Matrix
    ) -> None:
        """The parts as `loading` made them for the default device."""
        self.config = config
        self.layers = tuple(layers)
        self.embedding = embedding
        self.norm = norm
        self.head = head
        self.dtype = norm.dtype
        self._attend: Attention
        self._swiglu: Callable[..., mx.array] = partial(swiglu, limit=config.swiglu_limit)
        self._join: Callable[..., mx.array] = join
        if mx.default_device() == mx.Device(mx.cpu):
            self._attend = PlainAttention(config)
        else:
            self._attend = FusedAttention(config)
            # One kernel instead of nine, and of two. Not on the CPU, where a first trace would call a C++ compiler.
            self._swiglu = mx.compile(self._swiglu, shapeless=True)
            self._join = mx.compile(join, shapeless=True)

    def __call__(
        self, ids: mx.array, cache: KVCache, *, taps: Taps | None = None, pins: Collection[int] = ()
    ) -> mx.array:
        """Reads L tokens and returns the logits that follow the last: ids (L,) int to (vocabulary,).

        The tokens stand behind those in `cache`, which grows by L. `pins` are positions whose way back must not be
        lost. Nothing is evaluated.
        """
        x = self.embedding.rows(ids).astype(self.dtype)
        self._attend.begin(len(ids), cache.length)
        for index, (layer, rows) in enumerate(zip(self.layers, cache.layers, strict=True)):
            watched = taps if taps is not None and taps.attention_layer == index else None
            x = self._join(x, self._attention(layer, x, rows, watched, pins), layer.output_bias)
            x = x + self._experts(layer, x, taps)
        return self.head(self._normalise(x[-1:], self.norm))[0]

    @property
    def least_chunk(self) -> int:
        """Tokens below which a prefill chunk takes hardly less time; 1 where its time follows its length."""
        packed = any(array.dtype == mx.uint32 for layer in self.layers for array in layer.down.arrays())
        return unpacking.CHUNK if packed and mx.default_device() == mx.Device(mx.cpu) else 1

    def arrays(self) -> list[mx.array]:
        """Every weight."""
        shared = [*self.embedding.arrays(), self.norm, *self.head.arrays()]
        return shared + [array for layer in self.layers for array in layer.arrays()]

    def _normalise(self, x: mx.array, weight: mx.array) -> mx.array:
        return mx.fast.rms_norm(x, weight, self.config.norm_eps)

    def _attention(
        self, layer: Layer, x: mx.array, rows: LayerCache, taps: Taps | None, pins: Collection[int]
    ) -> mx.array:
        """Attention over the cache and these tokens, its last bias not added yet: (L, hidden) to (L, hidden)."""
        config = self.config
        qkv = layer.qkv(self._normalise(x, layer.attention_norm)) + layer.qkv_bias
        queries = self._attend.remember(qkv.reshape(len(x), config.qkv_rows, config.head_dim), rows, pins)
        keys, values = rows.visible(len(x))
        if taps is not None:
            # In a chunk, a sliding layer's keys begin with what its first query sees; the last one sees fewer.
            row, _ = rows.visible(1)
            taps.attention = attention_row(queries[:, :, -1], row, layer.sinks, self._attend.scale)
        return layer.output(self._attend(queries, keys, values, layer.sinks, rows.window))

    def _experts(self, layer: Layer, x: mx.array, taps: Taps | None) -> mx.array:
        """The mixture of experts: the router picks a few for each token. (L, hidden) to (L, hidden)."""
        count = self.config.experts_per_token
        x = self._normalise(x, layer.expert_norm)
        scores = layer.router(x) + layer.router_bias
        chosen = mx.argpartition(scores, kth=-count, axis=-1)[:, -count:]
        strengths = mx.take_along_axis(scores, chosen, axis=-1)
        if taps is not None and taps.router:
            taps.experts.append(chosen[-1][mx.argsort(-strengths[-1])])
        shares = mx.softmax(strengths, axis=-1, precise=True)

        pairs, inputs = chosen, x[:, None, None]
        sort = chosen.size >= SORT_FROM
        if sort:
            order = mx.argsort(chosen.flatten())
            pairs = chosen.flatten()[order]
            inputs = x[order // count][:, None]
        gate, up = mx.split(layer.gate_up.gather(inputs, pairs, sort), 2, axis=-1)
        gate_bias, up_bias = mx.split(layer.gate_up_bias[pairs], 2, axis=-1)
        inner = self._swiglu(gate, gate_bias, up, up_bias)
        outputs = (layer.down.gather(inner, pairs, sort) + layer.down_bias[pairs]).squeeze(-2)
        if sort:
            outputs = outputs[mx.argsort(order)].reshape(*chosen.shape, -1)
        return (shares[:, None] @ outputs).squeeze(1)


def join(x: mx.array, y: mx.array, bias: mx.array) -> mx.array:
    """A branch and its bias, added to the residual stream."""
    return x + (y + bias)


def swiglu(gate: mx.array, gate_bias: mx.array, up: mx.array, up_bias: mx.array, limit: float) -> mx.array:
    """gpt-oss's clamped SwiGLU, elementwise."""
    gate = mx.minimum(gate + gate_bias, limit)
    up = mx.clip(up + up_bias, -limit, limit)
    return gate * mx.sigmoid(SWIGLU_ALPHA * gate) * (up + 1)
