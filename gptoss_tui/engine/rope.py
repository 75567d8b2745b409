"""Rotary positions with YaRN: which frequency turns how fast.

Follows OpenAI's reference (openai/gpt-oss, gpt_oss/torch/model.py, `RotaryEmbedding`). It differs from mlx-lm 0.32 in
one point: `truncate: false`, which the published gpt-oss checkpoints say, is honoured (docs/architecture.md).
NumPy in float64; no mlx, no arrays of activations.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from gptoss_tui.engine.config import RopeConfig


def inverse_frequencies(rope: RopeConfig, head_dim: int) -> npt.NDArray[np.float64]:
    """Radians a token for each of the head_dim/2 pairs, fastest first: (head_dim / 2,) float64.

    YaRN leaves fast frequencies alone, divides slow ones by the factor, and blends between the two along a ramp whose
    ends are the frequencies that turn `beta_fast` and `beta_slow` times over the original context.
    """
    half = head_dim // 2
    plain = rope.theta ** (-np.arange(half, dtype=np.float64) / half)
    if rope.factor <= 1:
        return plain
    low, high = correction_range(rope, head_dim)
    if low == high:
        high += 0.001  # one step instead of a ramp, as in the reference implementations
    stretched = np.clip((np.arange(half, dtype=np.float64) - low) / (high - low), 0.0, 1.0)
    blended: npt.NDArray[np.float64] = plain / rope.factor * stretched + plain * (1.0 - stretched)
    return blended


def correction_range(rope: RopeConfig, head_dim: int) -> tuple[float, float]:
    """The ends of YaRN's ramp as (fractional) indices of frequencies: 8.09 and 17.40 for gpt-oss, 8 and 18
    truncated."""

    def index_of(turns: float) -> float:
        return head_dim / 2 * math.log(rope.original / (turns * 2 * math.pi)) / math.log(rope.theta)

    low, high = index_of(rope.beta_fast), index_of(rope.beta_slow)
    if rope.truncate:
        low, high = float(math.floor(low)), float(math.ceil(high))
    return max(low, 0.0), min(high, head_dim - 1.0)
