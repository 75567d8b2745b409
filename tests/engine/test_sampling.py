"""What the sampler's filters keep: against a sorted float64 reference and against mlx-lm's own functions."""

from __future__ import annotations

import math

import mlx.core as mx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mlx_lm import sample_utils

from gptoss_tui.engine import sampling
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.engine.sampling import RECENT_TOKENS, Sampler, noise_key, normaliser, penalised, push
from tests.engine.sampling_reference import (
    CARD_VOCABULARY,
    FILTERS,
    NONE_RECENT,
    NUCLEUS_ROOM,
    Logits,
    host,
    model_like_logits,
    normal_logits,
    recent_of,
    reference_kept,
)


def kept_by_sampler(logits: Logits, params: SamplingParams, exhaustive: bool = False) -> tuple[set[int], bool]:
    """The ids that pass, and whether the sampler calls that exact."""
    scores = mx.array(logits)
    ids, kept, exact = Sampler(len(logits)).filter(scores, *normaliser(scores), params, exhaustive)
    passing = np.array(kept) > -math.inf
    return set(np.array(ids)[passing].tolist()), exact is None or bool(exact.item())


def assert_kept_as_reference(logits: Logits, params: SamplingParams, exhaustive: bool = False) -> None:
    kept, exact = kept_by_sampler(logits, params, exhaustive)
    assert exact
    assert reference_kept(logits, params, -1e-6) <= kept <= reference_kept(logits, params, 1e-6)


class TestFilters:
    @pytest.mark.parametrize("params", FILTERS, ids=str)
    @pytest.mark.parametrize("size", [1, 2, 5, 1023, 1025, 4096, 4099])
    def test_small_vocabularies(self, size: int, params: SamplingParams) -> None:
        for spread in (0.0, 0.1, 3.0):
            assert_kept_as_reference(normal_logits(size, spread), params)

    @pytest.mark.parametrize("params", [SamplingParams(top_p=0.9), *FILTERS[4:]], ids=str)
    @pytest.mark.parametrize("size", [CARD_VOCABULARY, 60_021])
    def test_the_shortlist_finds_what_sorting_finds(self, size: int, params: SamplingParams) -> None:
        for logits in (normal_logits(size, 3.0), model_like_logits(size)):
            assert_kept_as_reference(logits, params)

    @pytest.mark.parametrize("top_p", [0.1, 0.5, 0.9, 0.99, 0.9999])
    def test_exhaustively_over_the_cards_vocabulary(self, top_p: float) -> None:
        for logits in (normal_logits(CARD_VOCABULARY, 1.0), normal_logits(CARD_VOCABULARY, 0.001)):
            assert_kept_as_reference(logits, SamplingParams(top_p=top_p), exhaustive=True)

    @pytest.mark.parametrize("size", [1024, 4096, 60_000])
    def test_masses_are_exact_to_a_millionth(self, size: int) -> None:
        # Nearly equal tokens: sums that are made carelessly drift furthest.
        logits = normal_logits(size, 0.001)
        weights = np.sort(np.exp(logits.astype(np.float64)))[::-1]
        masses = np.cumsum(weights) / weights.sum()
        for mass in masses[size // 7 : -1 : size // 7]:
            for beside in (-1.5e-6, 1.5e-6):
                assert_kept_as_reference(logits, SamplingParams(top_p=float(mass + beside)), exhaustive=True)

    def test_a_nucleus_wider_than_the_shortlist_is_reported(self) -> None:
        flat = normal_logits(CARD_VOCABULARY, 0.1)
        assert not kept_by_sampler(flat, SamplingParams(top_p=0.9))[1]
        assert kept_by_sampler(flat, SamplingParams(top_p=0.9), exhaustive=True)[1]
        # Whoever is cut by min-p or top-k as well needs no more than the shortlist.
        assert_kept_as_reference(flat, SamplingParams(top_p=0.9, min_p=0.9))
        assert_kept_as_reference(flat, SamplingParams(top_p=0.9, top_k=2000))

    @pytest.mark.parametrize("params", FILTERS, ids=str)
    def test_the_way_of_metal_and_cuda(self, params: SamplingParams, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sampling, "_on_cpu", lambda: False)
        for logits in (model_like_logits(60_000), normal_logits(4099, 3.0)):
            assert_kept_as_reference(logits, params, exhaustive=params.top_p > 0.9)
        assert not kept_by_sampler(normal_logits(60_000, 0.1), SamplingParams(top_p=0.9))[1]

    def test_equals_at_the_end_of_the_shortlist_are_reported(self) -> None:
        logits = np.full(CARD_VOCABULARY, -20.0, np.float32)
        logits[: NUCLEUS_ROOM + 1] = 3.0
        assert not kept_by_sampler(logits, SamplingParams(top_p=0.5))[1]
        assert_kept_as_reference(logits, SamplingParams(top_p=0.5), exhaustive=True)
        logits[NUCLEUS_ROOM - 1 :] = -20.0
        assert_kept_as_reference(logits, SamplingParams(top_p=0.5))

    @given(
        st.lists(st.sampled_from([-math.inf, -5.0, -0.5, 0.0, 0.25, 1.0, 3.0]), min_size=1, max_size=60),
        st.floats(0.01, 1.0),
        st.floats(0.0, 1.0),
        st.integers(0, 70),
    )
    @settings(max_examples=150, deadline=None)
    def test_ties_and_dropped_tokens(self, values: list[float], top_p: float, min_p: float, top_k: int) -> None:
        logits = np.array(values, np.float32)
        logits[0] = max(logits[0], -5.0)  # something must be possible
        possible = set(np.flatnonzero(logits > -math.inf).tolist())
        params = SamplingParams(top_p=top_p, min_p=min_p, top_k=top_k)
        kept, _ = kept_by_sampler(logits, params)
        assert reference_kept(logits, params, -1e-6) & possible <= kept <= reference_kept(logits, params, 1e-6)

    def test_top_k_prefers_the_lower_id_among_equals(self) -> None:
        for size in (100, CARD_VOCABULARY):
            logits = np.zeros(size, np.float32)
            logits[size - 3] = 1.0
            assert kept_by_sampler(logits, SamplingParams(top_k=4))[0] == {0, 1, 2, size - 3}

    @pytest.mark.parametrize("top_k", [50, 51, 10_000])
    def test_top_k_as_large_as_the_vocabulary_is_off(self, top_k: int) -> None:
        assert len(kept_by_sampler(normal_logits(50, 1.0), SamplingParams(top_k=top_k))[0]) == 50


class TestAgainstMlxLm:
    """Same logits, same filters: the same tokens kept, where mlx-lm's own sums are good enough to say."""

    @pytest.mark.parametrize("size", [64, 4096])
    @pytest.mark.parametrize("spread", [0.5, 3.0])
    def test_filters(self, size: int, spread: float) -> None:
        logits = mx.array(normal_logits(size, spread))
        logprobs = logits - mx.logsumexp(logits)
        for params, theirs in (
            (SamplingParams(top_p=0.9), sample_utils.apply_top_p(logprobs, 0.9)),
            (SamplingParams(top_p=0.25), sample_utils.apply_top_p(logprobs, 0.25)),
            (SamplingParams(min_p=0.05), sample_utils.apply_min_p(logprobs, 0.05)),
            (SamplingParams(top_k=40), sample_utils.apply_top_k(logprobs, 40)),
            (
                SamplingParams(top_p=0.9, min_p=0.01, top_k=20),
                sample_utils.apply_top_k(sample_utils.apply_min_p(sample_utils.apply_top_p(logprobs, 0.9), 0.01), 20),
            ),
        ):
            kept = set(np.flatnonzero(np.array(theirs) > -math.inf).tolist())
            assert kept_by_sampler(np.array(logits), params)[0] == kept

    @pytest.mark.parametrize("penalty", [0.5, 1.1, 3.0])
    def test_repetition_penalty(self, penalty: float) -> None:
        logits = mx.array(normal_logits(64, 3.0))
        said = [5, 9, 9, 63, 0, 5, 17]
        theirs = sample_utils.make_repetition_penalty(penalty, RECENT_TOKENS)(said, mx.array(logits)[None])[0]
        assert mx.array_equal(penalised(logits, recent_of(*said), penalty), theirs)

    def test_a_long_history_counts_its_last_twenty(self) -> None:
        logits = mx.array(normal_logits(64, 3.0))
        said = list(range(30))
        theirs = sample_utils.make_repetition_penalty(1.3, RECENT_TOKENS)(said, mx.array(logits)[None])[0]
        ring = NONE_RECENT
        for token in said:
            ring = push(ring, mx.array([token], mx.uint32))
        assert host(ring) == said[-RECENT_TOKENS:]
        assert mx.array_equal(penalised(logits, ring, 1.3), theirs)


class TestPenalty:
    def test_nothing_said_changes_nothing(self) -> None:
        logits = mx.array(normal_logits(32, 3.0))
        assert mx.array_equal(penalised(logits, NONE_RECENT, 2.0), logits)

    def test_it_decides_the_greedy_token_and_leaves_the_logprob(self) -> None:
        logits = mx.array([1.0, 4.0, 3.0, -1.0])
        params = SamplingParams(temperature=0, repetition_penalty=2.0)
        draw = Sampler(4)(logits, params, noise_key(0, 0), recent_of(1))
        assert host(draw.token) == [2]
        assert host(draw.logprob)[0] == pytest.approx(host(mx.log(mx.softmax(logits)))[2], abs=1e-6)

    def test_it_comes_before_the_nucleus(self) -> None:
        # Unpenalised, token 0 alone fills the nucleus; penalised, token 1 does.
        logits = mx.array([10.0, 6.0, 0.0, 0.0])
        params = SamplingParams(top_p=0.5, repetition_penalty=5.0)
        draws = [Sampler(4)(logits, params, noise_key(1, at), recent_of(0)) for at in range(30)]
        assert {host(draw.token)[0] for draw in draws} == {1}
