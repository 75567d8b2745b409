"""The sampler: one position's logits in, one token out, everything a lazy MLX graph.

Order and meaning of the filters are mlx-lm's (`mlx_lm/sample_utils.py`): the repetition penalty changes the logits of
the last 20 tokens, top-p keeps the nucleus of the distribution at temperature 1, min-p and top-k cut it further, and
the token is drawn at the temperature. Three things are done otherwise:

* A draw is the argmax of logprob / temperature + Gumbel noise, which is a sample of the softmax. Where only a shortlist
  is looked at, the noise is a hash of (key, token id): made for those few tokens, and the same as if all had been.
* The nucleus is found without sorting the vocabulary. Filters keep the likeliest tokens, so they need no more than a
  shortlist: exactly top-k tokens where that filter is on, else a fixed number and a flag that says whether the nucleus
  lies inside. Where it does not, `exhaustive=True` looks at every token. The end of the nucleus is found by halving:
  partition, weigh the upper half, go on in the half that holds the end.
* Sums are made in stages. MLX's CPU backend adds 200,000 float32 numbers one after the other, which puts its
  `logsumexp` off by up to 5e-4; in stages of 64 the error stays under 1e-6.

Nothing is compiled, so no change of a parameter can cause a trace. Not known here: text, caches, the model. NaN logits
give some valid token with a NaN logprob, and no fault.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import mlx.core as mx

from gptoss_tui.engine.params import SamplingParams

RECENT_TOKENS = 20
"""Tokens that the repetition penalty looks back at, as in mlx-lm."""

NoiseKey: TypeAlias = mx.array
"""uint32 (2,): the randomness of one position, made by `noise_key`."""

_MASK = 2**64 - 1
_GOLDEN = 0x9E3779B97F4A7C15
_LOG2_E = math.log2(math.e)
_STAGE = 64
# Up to here one partition costs less than the launches of two.
_FEW = 32768
# Temperatures below this overflow float32 once they divide a logprob; at 1e-30 the noise has long stopped to matter.
_COLDEST = 1e-30


@dataclass(frozen=True, slots=True)
class Draw:
    """One sampled token, not evaluated yet."""

    token: mx.array
    """uint32 (1,)."""
    logprob: mx.array
    """float32 (1,): of the token in the model's own distribution, before penalty and filters."""
    exact: mx.array | None
    """bool (): False where the shortlist was too short, so that the draw must be made again with `exhaustive=True`.
    None: exact by construction."""


def noise_key(seed: int, position: int) -> NoiseKey:
    """The randomness of `position` under `seed`: a pure function of both, uint32 (2,).

    Two rounds of SplitMix64 (Steele, Lea, Flood 2014), so that neighbouring seeds and positions have nothing in common.
    """
    mixed = _splitmix64(_splitmix64(seed) + position)
    return mx.array([mixed >> 32, mixed & 0xFFFFFFFF], dtype=mx.uint32)


def push(recent: mx.array, token: mx.array) -> mx.array:
    """The ring with `token` (one element, any integer type) as its newest entry and the oldest dropped."""
    return mx.concatenate([recent[1:], token.reshape(1).astype(mx.int32)])


def top_logprobs(logits: mx.array, k: int) -> tuple[mx.array, mx.array]:
    """The `k` likeliest tokens (fewer where the vocabulary is smaller), likeliest first, of equal ones the lower
    id first.

    Returns ids, uint32 (k,), and their logprobs, float32 (k,).
    """
    logits = logits.astype(mx.float32)
    ids = mx.sort(_largest(logits, min(k, logits.size)))
    ids = ids[mx.argsort(-logits[ids])]
    peak, total = normaliser(logits)
    return ids, logits[ids] - peak - mx.log(total)


class Sampler:
    """Draws tokens from logits over a vocabulary of `vocabulary_size` tokens. Make it on the thread that calls it."""

    traces = 0
    """How often compiled code was traced: never, for nothing here is compiled."""

    def __init__(self, vocabulary_size: int) -> None:
        self._ids = mx.arange(vocabulary_size, dtype=mx.uint32)
        self._size = vocabulary_size
        # On the CPU a partition is linear and a sort dear. On Metal and CUDA a partition is a sort and every launch
        # costs: there a short shortlist is the gain, and halving is none.
        self._nucleus_room = 24576 if _on_cpu() else 2048
        self._sortable = 2048 if _on_cpu() else vocabulary_size
        # A shortlist must be much shorter than the vocabulary to gain anything.
        self._large = 2 * self._nucleus_room < vocabulary_size

    def __call__(
        self, logits: mx.array, params: SamplingParams, noise: NoiseKey, recent: mx.array, exhaustive: bool = False
    ) -> Draw:
        """Draw one token.

        `logits`: (vocabulary,), float32 or bfloat16. `recent`: int32 (20,), the last tokens, the newest last, -1 where
        there are fewer. The seed in `params` is not looked at: `noise` is all the randomness there is.
        """
        logits = scores = logits.astype(mx.float32)
        peak, total = own = normaliser(logits)
        if params.repetition_penalty != 1:
            scores = penalised(logits, recent, params.repetition_penalty)
            if not params.greedy:
                peak, total = normaliser(scores)
        if params.greedy:
            token, exact = mx.argmax(scores, keepdims=True), None
        else:
            ids, kept, exact = self.filter(scores, peak, total, params, exhaustive)
            heat = (kept - peak) / max(params.temperature, _COLDEST) + self._gumbel(noise, ids, params)
            token = ids[mx.argmax(heat, keepdims=True)]
        return Draw(token, logits[token] - own[0] - mx.log(own[1]), exact)

    def filter(
        self, scores: mx.array, peak: mx.array, total: mx.array, params: SamplingParams, exhaustive: bool = False
    ) -> tuple[mx.array, mx.array, mx.array | None]:
        """Apply top-p, min-p and top-k to `scores`, float32 (vocabulary,), of which `normaliser` gave `peak`, `total`.

        Returns the ids that were looked at, uint32 (n,); their scores, -inf where a filter dropped them, float32 (n,);
        and `Draw.exact`.
        """
        size, sure = self._shortlist(params)
        if exhaustive and not sure:
            size, sure = 0, True
        ids = _largest(scores, size) if size else self._ids
        kept = scores[ids] if size else scores
        threshold = self._threshold(kept, peak, total, params)
        if threshold is None:
            return ids, kept, None
        # A threshold at the very last candidate may lie beyond it, or be shared with tokens left out.
        exact = None if sure else threshold > kept.min()
        return ids, mx.where(kept < threshold, -math.inf, kept), exact

    def _shortlist(self, params: SamplingParams) -> tuple[int, bool]:
        """How many of the likeliest tokens to look at (0: all), and whether no other one can pass the filters."""
        if 0 < params.top_k < self._size:
            return params.top_k, True
        if params.top_p < 1 and self._large:
            return self._nucleus_room, False
        return 0, True

    def _gumbel(self, noise: NoiseKey, ids: mx.array, params: SamplingParams) -> mx.array:
        """Standard Gumbel noise for `ids`, a shortlist or all: float32 (n,); an id's own, whoever is beside it."""
        if self._large and self._shortlist(params)[0]:
            return hashed_gumbel(noise, ids)
        # MLX's own noise is the cheaper one, but cannot be had for a part of the vocabulary alone.
        gumbel = mx.random.gumbel((self._size,), key=noise)
        return gumbel if ids is self._ids else gumbel[ids]

    def _threshold(self, kept: mx.array, peak: mx.array, total: mx.array, params: SamplingParams) -> mx.array | None:
        """The lowest score that passes top-p and min-p; None where both are off."""
        nucleus = _nucleus_end(kept, peak, params.top_p * total, self._sortable) if params.top_p < 1 else None
        least = peak + math.log(params.min_p) if params.min_p > 0 else None
        if nucleus is None or least is None:
            return least if nucleus is None else nucleus
        return mx.maximum(nucleus, least)


def penalised(logits: mx.array, recent: mx.array, penalty: float) -> mx.array:
    """`logits` with those of the `recent` tokens moved towards less likely, each once however often it occurs."""
    # Empty places repeat the newest token, since equal values written twice do no harm; with none at all nothing
    # changes.
    ids = mx.where(recent < 0, recent[-1:], recent)
    places = mx.maximum(ids, 0)
    old = logits[places]
    new = mx.where(old < 0, old * penalty, old / penalty)
    return mx.put_along_axis(logits, places, mx.where(ids < 0, old, new), axis=0)


def _nucleus_end(values: mx.array, peak: mx.array, mass: mx.array, sortable: int) -> mx.array:
    """The lowest of the largest `values` whose weights exp(value - peak) first add up to `mass`: float32 ().

    The least value of all where they never do. Up to `sortable` values are sorted; more are halved first.
    """
    above = mx.array(0.0)
    while values.size > sortable:
        values = mx.pad(values, (0, values.size % 2), constant_values=mx.array(-math.inf))
        half = values.size // 2
        values = mx.partition(values, half)
        with_upper = above + _sum(_exp(values[half:] - peak))
        inside = with_upper >= mass
        values = mx.slice(values, mx.where(inside, half, 0), axes=(0,), slice_size=(half,))
        above = mx.where(inside, above, with_upper)
    values = mx.sort(values)
    mass_above = above + _sums_behind(_exp(values - peak))
    return values[(mass_above >= mass).sum()]


def _largest(values: mx.array, count: int) -> mx.array:
    """The ids of the `count` largest values, in no order; of equal ones the lower id first: uint32 (count,)."""
    if values.size < max(32 * count, _FEW):
        return mx.argpartition(-values, count - 1)[:count]
    # The largest values lie in the blocks with the largest maxima: two small partitions instead of a big one. The
    # blocks are put into their own order, so that a tie still goes to the lower id.
    width = 2 ** round(math.log2(values.size / count) / 2)
    blocks = mx.pad(values, (0, -values.size % width), constant_values=mx.array(-math.inf)).reshape(-1, width)
    best = mx.sort(mx.argpartition(-blocks.max(axis=1), count - 1)[:count])
    places = mx.argpartition(-blocks[best].reshape(-1), count - 1)[:count]
    rows, columns = mx.divmod(places, width)
    return mx.add(best[rows] * width, columns)


def normaliser(logits: mx.array) -> tuple[mx.array, mx.array]:
    """The largest logit and the sum of exp(logit - largest), both (): softmax is exp(logit - largest) / sum."""
    peak = logits.max()
    return peak, _sum(_exp(logits - peak))


def _exp(values: mx.array) -> mx.array:
    """e to the power of `values`."""
    if _on_cpu():
        # MLX's CPU exp is scalar code: 11 ns a value on x86 against 4 for its power, with the same error.
        return mx.power(2.0, values * _LOG2_E)
    return mx.exp(values)


def _on_cpu() -> bool:
    return mx.default_device().type == mx.DeviceType.cpu


def _sum(values: mx.array) -> mx.array:
    """The sum of a float32 vector, in stages, since adding one after the other loses digits: float32 ()."""
    while values.size > _STAGE:
        values = mx.pad(values, (0, -values.size % _STAGE)).reshape(_STAGE, -1).sum(axis=0)
    return values.sum()


def _sums_behind(values: mx.array) -> mx.array:
    """For each place of a float32 vector (n,) the sum of what is behind it, in stages like `_sum`: float32 (n,)."""
    if values.size <= _STAGE:
        return mx.cumsum(values, reverse=True, inclusive=False)
    rows = mx.pad(values, (0, -values.size % _STAGE)).reshape(-1, _STAGE)
    behind_row = _sums_behind(rows.sum(axis=1))[:, None]
    return (behind_row + mx.cumsum(rows, axis=1, reverse=True, inclusive=False)).reshape(-1)[: values.size]


def hashed_gumbel(noise: NoiseKey, ids: mx.array) -> mx.array:
    """Standard Gumbel noise for each id, a pure function of (noise, id): float32, of `ids`' shape.

    The hash is rounds of 32-bit multiplication and xor-shift, constants found by C. Wellons's hash-prospector, half of
    the key before the first round and half after it.
    """
    bits = ids + noise[0]
    bits = (bits ^ (bits >> 16)) * 0x21F0AAAD + noise[1]
    bits = (bits ^ (bits >> 15)) * 0xD35A2D97
    bits = (bits ^ (bits >> 15)) * 0x846CA68B
    bits = bits ^ (bits >> 16)
    # -u, with u in (0, 1). The winners have the smallest u, of which log1p keeps all digits. The scale is a little less
    # than 2^-32, because the largest integers round up to 2^32.
    minus_u = bits.astype(mx.float32) * -(2.0**-32 - 2.0**-48) - 2.0**-33
    return -mx.log(-mx.log1p(minus_u))


def _splitmix64(value: int) -> int:
    value = (value + _GOLDEN) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)
