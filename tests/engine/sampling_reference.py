"""The sampler's reference, which is the definition in float64: sort, add up, cut. And logits to try it on."""

from __future__ import annotations

import math
from typing import Any

import mlx.core as mx
import numpy as np

from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.engine.sampling import RECENT_TOKENS

CARD_VOCABULARY = 201_088
NUCLEUS_ROOM = 24_576
"""The CPU's shortlist for top-p."""
Logits = np.ndarray[Any, np.dtype[np.float32]]


def recent_of(*tokens: int) -> mx.array:
    return mx.array(([-1] * RECENT_TOKENS + list(tokens))[-RECENT_TOKENS:], mx.int32)


NONE_RECENT = recent_of()


def host(array: mx.array | None) -> Any:
    assert array is not None
    return array.tolist()


def normal_logits(size: int, spread: float, seed: int = 0) -> Logits:
    return np.random.default_rng(seed).normal(0, spread, size).astype(np.float32)


def model_like_logits(size: int, seed: int = 0) -> Logits:
    """A few likely tokens over a wide floor, as a trained model gives them."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(-4, 2, size)
    logits[rng.permutation(size)[:200]] += 12 * rng.random(min(200, size))
    return logits.astype(np.float32)


def likeliest_first(logits: Logits) -> Any:
    """Ids by descending logit, the lower id first among equals."""
    return np.argsort(-logits, kind="stable")


def reference_kept(logits: Logits, params: SamplingParams, slack: float = 0.0) -> set[int]:
    """The ids that pass all filters; `slack` shifts top-p's bound, for tokens that rounding may decide either way."""
    order = likeliest_first(logits)
    values = logits[order].astype(np.float64)
    weights = np.exp(values - values[0])
    masses = weights / weights.sum()
    passes = np.ones(len(order), bool)
    if params.top_p < 1:
        mass_above = np.concatenate([[0.0], np.cumsum(masses)[:-1]])
        # Equal values stand or fall together: the mass above them is that above the first of them.
        first_of_equals = np.searchsorted(-values, -values, side="left")
        passes &= mass_above[first_of_equals] < params.top_p + slack
    if params.min_p > 0:
        passes &= values >= values[0] + math.log(params.min_p) - slack
    ids = order[passes]
    return set(ids[: params.top_k].tolist() if params.top_k else ids.tolist())


FILTERS = [
    SamplingParams(top_p=0.9),
    SamplingParams(top_p=0.3),
    SamplingParams(top_p=0.999),
    SamplingParams(top_p=1e-6),
    SamplingParams(min_p=0.05),
    SamplingParams(min_p=1.0),
    SamplingParams(top_k=1),
    SamplingParams(top_k=40),
    SamplingParams(top_p=0.8, min_p=0.01),
    SamplingParams(top_p=0.95, top_k=300),
    SamplingParams(top_p=0.7, min_p=0.02, top_k=17),
]
