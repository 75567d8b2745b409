"""YaRN's frequencies: the ends of its ramp for gpt-oss, against the reference's and mlx-lm's."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from mlx_lm.models.rope_utils import YarnRoPE

from gptoss_tui.engine.config import RopeConfig
from gptoss_tui.engine.rope import correction_range, inverse_frequencies
from tests.engine.reference import yarn

CARD = RopeConfig(theta=150_000, factor=32, beta_fast=32, beta_slow=1, original=4096, truncate=False)
ROUNDED = dataclasses.replace(CARD, truncate=True)


def test_the_ramp_of_the_card() -> None:
    assert list(correction_range(CARD, 64)) == pytest.approx([8.0928, 17.3980], abs=1e-4)
    assert correction_range(ROUNDED, 64) == (8, 18)


def test_what_rounding_changes() -> None:
    exact, rounded = inverse_frequencies(CARD, 64), inverse_frequencies(ROUNDED, 64)
    changed = np.flatnonzero(np.abs(exact / rounded - 1) > 1e-3)
    assert changed.tolist() == list(range(9, 18))
    assert (rounded / exact - 1)[[13, 16, 17]] == pytest.approx([0.05, 0.27, 0.76], abs=0.01)


@pytest.mark.parametrize("head_dim", [32, 64, 128])
@pytest.mark.parametrize("rope", [CARD, ROUNDED, dataclasses.replace(CARD, theta=10_000, factor=4)], ids=str)
def test_as_the_reference(rope: RopeConfig, head_dim: int) -> None:
    scaling = {
        "factor": rope.factor,
        "beta_fast": rope.beta_fast,
        "beta_slow": rope.beta_slow,
        "original_max_position_embeddings": rope.original,
        "truncate": rope.truncate,
    }
    expected, concentration = yarn({"head_dim": head_dim, "rope_theta": rope.theta, "rope_scaling": scaling})
    assert inverse_frequencies(rope, head_dim) == pytest.approx(expected, rel=1e-12)
    assert rope.concentration == pytest.approx(concentration, rel=1e-12)


@pytest.mark.parametrize("head_dim", [32, 64, 128])
@pytest.mark.parametrize(
    "rope",
    [
        ROUNDED,
        dataclasses.replace(ROUNDED, theta=10_000, factor=4),
        # Both ends in the same place, beyond the last frequency, and before the first.
        dataclasses.replace(ROUNDED, beta_fast=1),
        dataclasses.replace(ROUNDED, original=2**30),
        dataclasses.replace(ROUNDED, original=2),
    ],
    ids=str,
)
def test_as_mlx_lm_where_it_is_rounded(rope: RopeConfig, head_dim: int) -> None:
    theirs = YarnRoPE(
        head_dim,
        base=rope.theta,
        scaling_factor=rope.factor,
        original_max_position_embeddings=rope.original,
        beta_fast=rope.beta_fast,
        beta_slow=rope.beta_slow,
    )
    assert 1 / inverse_frequencies(rope, head_dim) == pytest.approx(np.array(theirs._freqs), rel=1e-5)
    assert rope.concentration == pytest.approx(theirs.mscale)


@pytest.mark.parametrize("factor", [0.5, 1.0])
def test_without_stretching_it_is_plain_rope(factor: float) -> None:
    rope = dataclasses.replace(CARD, factor=factor)
    assert inverse_frequencies(rope, 8) == pytest.approx(150_000.0 ** -np.array([0, 0.25, 0.5, 0.75]))
    assert rope.concentration == 1
