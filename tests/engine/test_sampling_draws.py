"""What the sampler draws: its own promises, and the distribution of its draws.

Distributions are compared with a chi-square bound that fixed seeds meet and a wrong filter, temperature or hash misses
by far.
"""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import combinations, pairwise
from typing import Any

import mlx.core as mx
import numpy as np
import pytest

from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.engine.sampling import Sampler, hashed_gumbel, noise_key, penalised, top_logprobs
from tests.engine.sampling_reference import (
    CARD_VOCABULARY,
    FILTERS,
    NONE_RECENT,
    Logits,
    host,
    likeliest_first,
    normal_logits,
    recent_of,
    reference_kept,
)


class TestDraw:
    def test_greedy_takes_the_first_of_the_likeliest(self) -> None:
        draw = Sampler(5)(
            mx.array([0.0, 2.0, 1.0, 2.0, 0.0]), SamplingParams(temperature=0), noise_key(0, 0), NONE_RECENT
        )
        assert host(draw.token) == [1]
        assert draw.exact is None

    def test_shapes_and_types(self) -> None:
        for params in (
            SamplingParams(),
            SamplingParams(temperature=0),
            SamplingParams(top_p=0.5),
            SamplingParams(top_k=3),
        ):
            draw = Sampler(CARD_VOCABULARY)(mx.zeros(CARD_VOCABULARY), params, noise_key(3, 4), NONE_RECENT)
            assert (draw.token.shape, draw.token.dtype) == ((1,), mx.uint32)
            assert (draw.logprob.shape, draw.logprob.dtype) == ((1,), mx.float32)
            assert (draw.exact is not None) == (params.top_p < 1)

    @pytest.mark.parametrize("spread", [0.01, 1.0, 3.0, 10.0])
    def test_the_logprob_is_the_models_own(self, spread: float) -> None:
        logits = normal_logits(CARD_VOCABULARY, spread)
        wide = logits.astype(np.float64)
        logprobs = wide - wide.max() - np.log(np.exp(wide - wide.max()).sum())
        for params in (SamplingParams(), SamplingParams(temperature=0.3, top_k=5), SamplingParams(temperature=0)):
            draw = Sampler(CARD_VOCABULARY)(mx.array(logits), params, noise_key(5, 6), NONE_RECENT)
            assert host(draw.logprob)[0] == pytest.approx(logprobs[host(draw.token)[0]], abs=3e-6)

    @pytest.mark.parametrize("top_p", [0.2, 0.9])
    def test_the_same_noise_gives_the_same_token_either_way(self, top_p: float) -> None:
        sampler = Sampler(CARD_VOCABULARY)
        logits = mx.array(normal_logits(CARD_VOCABULARY, 3.0))
        params = SamplingParams(top_p=top_p, temperature=1.5)
        for position in range(12):
            short, full = (
                sampler(logits, params, noise_key(9, position), NONE_RECENT, exhaustive) for exhaustive in (False, True)
            )
            assert host(short.exact) is True
            assert full.exact is None
            assert host(short.token) == host(full.token)
            assert host(short.logprob) == host(full.logprob)

    def test_exhaustively_nothing_else_changes(self) -> None:
        sampler = Sampler(CARD_VOCABULARY)
        logits = mx.array(normal_logits(CARD_VOCABULARY, 1.0))
        for params in (
            SamplingParams(),
            SamplingParams(min_p=0.1),
            SamplingParams(top_k=9),
            SamplingParams(temperature=0),
        ):
            tokens = [host(sampler(logits, params, noise_key(2, 3), NONE_RECENT, wide).token) for wide in (False, True)]
            assert tokens[0] == tokens[1]

    def test_the_noise_decides_and_nothing_else(self) -> None:
        logits = mx.array(normal_logits(1000, 1.0))

        def answer(seed: int) -> list[int]:
            sampler = Sampler(1000)
            params = SamplingParams(seed=seed)
            return [host(sampler(logits, params, noise_key(seed, at), NONE_RECENT).token)[0] for at in range(40)]

        assert answer(1) == answer(1)
        assert answer(1) != answer(2)
        assert len(set(answer(1))) > 20

    @pytest.mark.parametrize(
        "params", [*FILTERS, SamplingParams(temperature=0), SamplingParams(repetition_penalty=1.3)], ids=str
    )
    def test_bfloat16_is_as_its_float32(self, params: SamplingParams) -> None:
        rounded = mx.array(normal_logits(3000, 2.0)).astype(mx.bfloat16)
        sampler = Sampler(3000)
        for position in range(5):
            draws = [
                sampler(logits, params, noise_key(4, position), recent_of(3, 4))
                for logits in (rounded, rounded.astype(mx.float32))
            ]
            assert host(draws[0].token) == host(draws[1].token)
            assert host(draws[0].logprob) == host(draws[1].logprob)

    @pytest.mark.parametrize("temperature", [1e-320, 1e-6, 0.001])
    def test_the_coldest_draw_is_greedy(self, temperature: float) -> None:
        logits = mx.array(normal_logits(1000, 3.0))
        draw = Sampler(1000)(logits, SamplingParams(temperature=temperature), noise_key(0, 1), NONE_RECENT)
        assert host(draw.token)[0] == host(mx.argmax(logits))

    @pytest.mark.parametrize("params", [SamplingParams(), *FILTERS], ids=str)
    def test_impossible_tokens_are_never_drawn(self, params: SamplingParams) -> None:
        logits = np.full(500, -math.inf, np.float32)
        logits[[7, 70, 499]] = [0.0, 0.5, 0.25]
        sampler = Sampler(500)
        drawn = {host(sampler(mx.array(logits), params, noise_key(8, at), NONE_RECENT).token)[0] for at in range(40)}
        assert drawn <= {7, 70, 499}

    @pytest.mark.parametrize("params", [SamplingParams(), SamplingParams(temperature=0), *FILTERS], ids=str)
    @pytest.mark.parametrize("broken", [math.nan, -math.inf, math.inf])
    def test_broken_logits_give_a_valid_token(self, params: SamplingParams, broken: float) -> None:
        some = normal_logits(60_000, 1.0)
        some[123] = broken
        for logits in (some, np.full(60_000, broken, np.float32)):
            draw = Sampler(60_000)(mx.array(logits), params, noise_key(0, 0), recent_of(1), exhaustive=True)
            assert 0 <= host(draw.token)[0] < 60_000
            assert math.isnan(host(draw.logprob)[0]) == (broken != -math.inf or logits is not some)


class TestDistribution:
    """Chi-square over 4,000 draws with fixed seeds; the bound is the 99.99 % point, which one wrong share exceeds."""

    LOGITS = mx.array([2.0, 1.5, 1.0, 1.0, 0.5, 0.0, -0.5, -1.0, -3.0, -4.0])
    DRAWS = 4000

    @pytest.mark.parametrize(
        "params",
        [
            SamplingParams(),
            SamplingParams(temperature=0.5),
            SamplingParams(temperature=2.0),
            SamplingParams(top_p=0.8),
            SamplingParams(top_p=0.8, temperature=3.0),
            SamplingParams(min_p=0.1, temperature=1.3),
            SamplingParams(top_k=5),
            SamplingParams(top_k=8, repetition_penalty=1.7, temperature=0.9),
        ],
        ids=str,
    )
    def test_draws_follow_the_filtered_softmax(self, params: SamplingParams) -> None:
        sampler = Sampler(10)
        said = recent_of(1, 8)
        tokens = mx.concatenate(
            [sampler(self.LOGITS, params, noise_key(11, at), said).token for at in range(self.DRAWS)]
        )
        scores = np.array(penalised(self.LOGITS, said, params.repetition_penalty))
        self.check(np.array(tokens), scores, params)

    @pytest.mark.parametrize("seed_matters", [False, True])
    def test_the_shortlists_noise_is_as_good(self, seed_matters: bool) -> None:
        # The same ten tokens scattered over a vocabulary with a shortlist; the others are out of reach.
        places = np.random.default_rng(1).permutation(60_000)[:10]
        logits = np.full(60_000, -60.0, np.float32)
        logits[places] = np.array(self.LOGITS)
        params = SamplingParams(top_p=0.97)
        ids = mx.array(places.astype(np.uint32))
        keys = [noise_key(at, 7) if seed_matters else noise_key(7, at) for at in range(self.DRAWS)]
        kept = reference_kept(np.array(self.LOGITS), params)
        passing = mx.array([0.0 if index in kept else -math.inf for index in range(10)])
        drawn = mx.stack([mx.argmax(self.LOGITS + passing + hashed_gumbel(key, ids)) for key in keys])
        sampler = Sampler(60_000)
        for at in range(20):
            token = sampler(mx.array(logits), params, keys[at], NONE_RECENT).token
            assert host(token)[0] == places[host(drawn)[at]]
        self.check(np.array(drawn), np.array(self.LOGITS), params)

    def test_the_hash_is_uniform_over_ids_and_keys(self) -> None:
        for seed in range(4):
            noise = np.array(hashed_gumbel(noise_key(seed, 0), mx.arange(200_000, dtype=mx.uint32)))
            uniform = np.exp(-np.exp(-noise.astype(np.float64)))
            counts = np.bincount((uniform * 256).astype(int), minlength=256)
            assert chi_square(counts, np.full(256, 200_000 / 256)) < chi_square_bound(255)
        # Each half of the key matters.
        ids = mx.arange(5000, dtype=mx.uint32)
        halves = [np.array(hashed_gumbel(mx.array(key, mx.uint32), ids)) for key in ([1, 1], [1, 2], [2, 1])]
        for one, other in combinations(halves, 2):
            assert abs(np.corrcoef(one, other)[0, 1]) < 5 / math.sqrt(5000)
        rows = np.array(
            mx.stack([hashed_gumbel(noise_key(5, at), mx.arange(64, dtype=mx.uint32)) for at in range(2000)])
        )
        # Neither ids nor positions know of their neighbours.
        for one, other in [(rows[:, :-1], rows[:, 1:]), (rows[:-1], rows[1:]), (rows[:, :32], rows[:, 32:])]:
            assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 5 / math.sqrt(one.size)

    def check(self, tokens: Any, scores: Logits, params: SamplingParams) -> None:
        kept = sorted(reference_kept(scores, params))
        assert set(tokens.tolist()) <= set(kept)
        heat = scores[kept].astype(np.float64) / params.temperature
        shares = np.exp(heat - heat.max())
        shares /= shares.sum()
        counts = np.bincount(tokens, minlength=10)[kept]
        assert chi_square(counts, shares * len(tokens)) < chi_square_bound(len(kept) - 1)


def chi_square(counts: Any, expected: Any) -> float:
    return float((((counts - expected) ** 2) / expected).sum())


def chi_square_bound(degrees: int) -> float:
    """About the 99.99 % point of the chi-square distribution (Wilson and Hilferty's approximation)."""
    return float(degrees * (1 - 2 / (9 * degrees) + 3.72 * math.sqrt(2 / (9 * degrees))) ** 3)


class TestNoiseKey:
    def test_seeds_and_positions_do_not_meet(self) -> None:
        keys = {tuple(host(noise_key(seed, at))) for seed in range(60) for at in range(60)}
        assert len(keys) == 3600

    def test_neighbours_differ_in_half_of_their_bits(self) -> None:
        keys = [(key[0] << 32) + key[1] for key in (host(noise_key(2**63 - 1, at)) for at in range(400))]
        flips = [(one ^ other).bit_count() for one, other in pairwise(keys)]
        assert 31 < sum(flips) / len(flips) < 33


class TestTopLogprobs:
    @pytest.mark.parametrize("size", [7, 1000, CARD_VOCABULARY])
    @pytest.mark.parametrize("k", [1, 5, 20])
    def test_likeliest_first(self, size: int, k: int) -> None:
        logits = np.round(normal_logits(size, 3.0), 1)  # many equals
        ids, logprobs = top_logprobs(mx.array(logits), k)
        assert host(ids) == likeliest_first(logits)[:k].tolist()
        wide = logits.astype(np.float64)
        expected = wide - np.log(np.exp(wide).sum())
        np.testing.assert_allclose(np.array(logprobs), expected[host(ids)], atol=3e-6)


def test_no_change_of_parameters_is_ever_traced() -> None:
    sampler = Sampler(100)
    logits = mx.array(normal_logits(100, 1.0))
    params = SamplingParams()
    for change in ({"temperature": 0.7}, {"top_p": 0.9}, {"top_k": 5}, {"min_p": 0.1}, {"repetition_penalty": 1.2}):
        params = replace(params, **change)
        mx.eval(sampler(logits, params, noise_key(0, 0), NONE_RECENT).token)
        assert sampler.traces == 0
