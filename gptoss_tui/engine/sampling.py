"""The sampler: one position's logits in, one token out, everything a lazy MLX graph.

Order and meaning of the filters are mlx-lm's (`mlx_lm/sample_utils.py`): the repetition penalty changes the logits of
the last 20 tokens, top-p keeps the nucleus of the distribution at temperature 1, min-p and top-k cut it further, and
the token is drawn at the temperature. Three things are done otherwise:

* **Gumbel noise belongs to the token.** A draw is the argmax of logprob / temperature + noise(key, token id), which is
  a sample of the softmax. The noise is a hash, so it can be had for the few tokens that are left without making it for
  the whole vocabulary, and a turned knob moves the answer only as far as the knob demands.
* **The nucleus is found without sorting the vocabulary.** The filters keep the likeliest tokens, so they need no more
  than a shortlist of them: exactly top-k tokens where that filter is on, else a fixed number and a flag that says
  whether the nucleus lay inside. Where it did not, `exhaustive=True` looks at every token; the threshold is then found
  by halving: partition, weigh the upper half, go on in the half that holds the threshold.
* **Sums are made in stages.** MLX's CPU backend adds 200,000 float32 numbers one after the other, which puts
  `logsumexp` off by up to 5e-4; in stages of 64 the error stays under 1e-6.

Nothing is compiled, so no change of a parameter can cause a trace. Not known here: text, caches, the model, the host's
clock. NaN logits give some valid token with a NaN logprob and no fault.
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
_STAGE = 64
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


def no_recent() -> mx.array:
    """The ring of recent tokens before there are any: int32 (20,), all -1."""
    return mx.full((RECENT_TOKENS,), -1, dtype=mx.int32)


def push(recent: mx.array, token: mx.array) -> mx.array:
    """The ring with `token` (one element, any integer type) as its newest entry and the oldest dropped."""
    return mx.concatenate([recent[1:], token.reshape(1).astype(mx.int32)])


def top_logprobs(logits: mx.array, k: int) -> tuple[mx.array, mx.array]:
    """The `k` likeliest tokens (fewer where the vocabulary is smaller), likeliest first, the lower id first among
    equals.

    Returns ids, uint32 (k,), and their logprobs, float32 (k,).
    """
    logits = logits.astype(mx.float32)
    ids = mx.sort(_largest(logits, min(k, logits.size)))
    ids = ids[mx.argsort(-logits[ids])]
    peak, total = _normaliser(logits)
    return ids, logits[ids] - peak - mx.log(total)


class Sampler:
    """Draws tokens from logits over a vocabulary of `vocabulary_size` tokens. Make it on the thread that calls it."""

    traces = 0
    """How often compiled code was traced: never, for nothing here is compiled."""

    def __init__(self, vocabulary_size: int) -> None:
        self._ids = mx.arange(vocabulary_size, dtype=mx.uint32)
        # On the CPU partitioning is linear and sorting dear; on Metal and CUDA a partition is a sort, and each launch
        # costs: there a short shortlist is the gain, and halving none.
        on_cpu = mx.default_device().type == mx.DeviceType.cpu
        self._shortlist = 16384 if on_cpu else 2048
        self._sortable = 1024 if on_cpu else vocabulary_size

    def __call__(
        self, logits: mx.array, params: SamplingParams, noise: NoiseKey, recent: mx.array, exhaustive: bool = False
    ) -> Draw:
        """Draw one token.

        `logits`: (vocabulary,), float32 or bfloat16. `recent`: int32 (20,), the last tokens in any order, -1 where
        there are fewer. The seed in `params` is not looked at: `noise` is all the randomness there is.
        """
        logits = logits.astype(mx.float32)
        peak, total = _normaliser(logits)
        scores, scores_peak, scores_total = logits, peak, total
        if params.repetition_penalty != 1:
            scores = _penalised(logits, recent, params.repetition_penalty)
            if not params.greedy:
                scores_peak, scores_total = _normaliser(scores)
        exact = None
        if params.greedy:
            token = mx.argmax(scores, keepdims=True).astype(mx.uint32)
        else:
            ids, sure = self._candidates(scores, params, exhaustive)
            kept = scores if ids is self._ids else scores[ids]
            threshold = self._threshold(kept, scores_peak, scores_total, params)
            if threshold is not None:
                if not sure:
                    # A threshold at the very last candidate may lie beyond it, or be shared with tokens left out.
                    exact = threshold > kept.min()
                kept = mx.where(kept < threshold, -math.inf, kept)
            heat = (kept - scores_peak) / max(params.temperature, _COLDEST)
            token = ids[mx.argmax(heat + _gumbel(noise, ids), keepdims=True)]
        return Draw(token, logits[token] - peak - mx.log(total), exact)

    def _candidates(self, scores: mx.array, params: SamplingParams, exhaustive: bool) -> tuple[mx.array, bool]:
        """The ids among which the filters may choose, and whether no other can pass them."""
        if 0 < params.top_k < scores.size:
            return _largest(scores, params.top_k), True
        # min-p alone needs no order, and a shortlist must be much shorter than the vocabulary to gain anything.
        if params.top_p < 1 and not exhaustive and 2 * self._shortlist < scores.size:
            return _largest(scores, self._shortlist), False
        return self._ids, True

    def _threshold(self, kept: mx.array, peak: mx.array, total: mx.array, params: SamplingParams) -> mx.array | None:
        """The lowest score that passes top-p and min-p; None where both are off."""
        threshold = None
        if params.top_p < 1:
            threshold = _nucleus_threshold(kept, peak, params.top_p * total, self._sortable)
        if params.min_p > 0:
            least = peak + math.log(params.min_p)
            threshold = least if threshold is None else mx.maximum(threshold, least)
        return threshold


def _penalised(logits: mx.array, recent: mx.array, penalty: float) -> mx.array:
    """`logits` with those of the `recent` tokens moved towards less likely, each once however often it occurs."""
    # Empty places repeat the newest token, since equal values written twice do no harm; with none at all nothing
    # changes.
    ids = mx.where(recent < 0, recent[-1:], recent)
    places = mx.maximum(ids, 0)
    old = logits[places]
    new = mx.where(old < 0, old * penalty, old / penalty)
    return mx.put_along_axis(logits, places, mx.where(ids < 0, old, new), axis=0)


def _nucleus_threshold(values: mx.array, peak: mx.array, mass: mx.array, sortable: int) -> mx.array:
    """The lowest of the largest `values` whose weights exp(value - peak) first add up to `mass`; the least value of all
    where they never do. Up to `sortable` values are sorted, more are halved first."""
    above = mx.array(0.0)
    while values.size > sortable:
        values = mx.pad(values, (0, values.size % 2), constant_values=-math.inf)
        half = values.size // 2
        values = mx.partition(values, half)
        with_upper = above + _sum(mx.exp(values[half:] - peak))
        inside = with_upper >= mass
        values = mx.slice(values, mx.where(inside, half, 0), axes=(0,), slice_size=(half,))
        above = mx.where(inside, above, with_upper)
    values = mx.sort(values)
    mass_above = above + mx.cumsum(mx.exp(values - peak), reverse=True, inclusive=False)
    return values[(mass_above >= mass).sum()]


def _largest(values: mx.array, count: int) -> mx.array:
    """The ids of the `count` largest values, in no order, the lower id first where equal ones compete: uint32
    (count,)."""
    if values.size < 32 * count:
        return mx.argpartition(-values, count - 1)[:count]
    # The largest values lie in the blocks with the largest maxima: two small partitions instead of a big one. Blocks in
    # their own order, so that a tie still goes to the lower id.
    width = 2 ** round(math.log2(values.size / count) / 2)
    blocks = mx.pad(values, (0, -values.size % width), constant_values=-math.inf).reshape(-1, width)
    best = mx.sort(mx.argpartition(-blocks.max(axis=1), count - 1)[:count])
    places = mx.argpartition(-blocks[best].reshape(-1), count - 1)[:count]
    return best[places // width] * width + places % width


def _normaliser(logits: mx.array) -> tuple[mx.array, mx.array]:
    """The largest logit and the sum of exp(logit - largest): their softmax is exp(logit - largest) / sum. Both ()."""
    peak = logits.max()
    return peak, _sum(mx.exp(logits - peak))


def _sum(values: mx.array) -> mx.array:
    """The sum of a float32 vector, in stages, since adding one after the other loses digits."""
    while values.size > _STAGE:
        values = mx.pad(values, (0, -values.size % _STAGE)).reshape(_STAGE, -1).sum(axis=0)
    return values.sum()


def _gumbel(noise: NoiseKey, ids: mx.array) -> mx.array:
    """Standard Gumbel noise for each id, a pure function of (noise, id): float32, of `ids`' shape.

    The hash is two rounds of 32-bit multiply and xor-shift, constants by C. Wellons's hash-prospector, with half of the
    key before each round.
    """
    bits = ids + noise[0]
    bits = (bits ^ (bits >> 16)) * 0x21F0AAAD
    bits = (bits ^ (bits >> 15)) * 0xD35A2D97
    bits = (bits ^ (bits >> 15)) + noise[1]
    bits = (bits ^ (bits >> 16)) * 0x7FEB352D
    bits = (bits ^ (bits >> 15)) * 0x846CA68B
    bits = bits ^ (bits >> 16)
    # -u, with u in (0, 1): winners have the smallest u, which log1p keeps all digits of. The scale is a little less
    # than 2^-32, because the largest integers round up to 2^32.
    minus_u = bits.astype(mx.float32) * -(2.0**-32 - 2.0**-48) - 2.0**-33
    return -mx.log(-mx.log1p(minus_u))


def _splitmix64(value: int) -> int:
    value = (value + _GOLDEN) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)
