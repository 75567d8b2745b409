"""Answers of real, tiny models: mlx-lm's tokens, exact reuse, and what each step tells."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mlx_lm.generate import generate_step
from mlx_lm.sample_utils import make_logits_processors
from mlx_lm.utils import load_model as load_with_mlx_lm

from gptoss_tui.engine.events import PrefillProgress
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.engine.worker import Engine
from gptoss_tui.errors import PromptError
from tests.engine.driving import (
    NEAR_TIE,
    assert_same_greedy,
    finished,
    ids,
    steps,
    tokens,
    write,
)
from tests.engine.reference import Reference

Make = Callable[..., Path]


@pytest.fixture(scope="module")
def small_window(checkpoint: Make) -> Path:
    """Sliding layers of 8 tokens, so that windows and their edges are everywhere."""
    return checkpoint(sliding_window=8)


@pytest.fixture(scope="module")
def theirs(checkpoint: Make) -> Any:
    """mlx-lm's model of the same checkpoint."""
    model, _ = load_with_mlx_lm(checkpoint())
    model.set_dtype(mx.float32)
    return model


class TestAsMlxLm:
    def check(self, engine: Engine, theirs: Any, prompt: list[int], penalty: float = 1.0) -> None:
        engine.forget()
        found = tokens(write(engine, prompt, SamplingParams(temperature=0, repetition_penalty=penalty), max_tokens=24))
        processors = make_logits_processors(repetition_penalty=penalty) if penalty != 1 else None
        expected = generate_step(mx.array(prompt), theirs, max_tokens=24, logits_processors=processors)
        for ours, (token, logprobs) in zip(found, expected, strict=True):
            if ours != token:
                second, first = np.sort(np.array(logprobs))[-2:]
                assert first - second < NEAR_TIE
                return

    @pytest.mark.parametrize("length", [1, 2, 5, 40, 126, 127, 128, 129, 255, 256, 257, 300])
    def test_greedy_tokens(self, engine: Engine, theirs: Any, length: int) -> None:
        self.check(engine, theirs, ids(length))

    @pytest.mark.parametrize("size", [7, 100, 127, 128, 129])
    def test_across_prefill_chunks(
        self, engine: Engine, theirs: Any, size: int, chunks_of: Callable[[Engine, int], None]
    ) -> None:
        chunks_of(engine, size)
        self.check(engine, theirs, ids(300))

    @pytest.mark.parametrize("penalty", [0.5, 1.3, 5.0])
    @pytest.mark.parametrize("length", [1, 19, 20, 21, 130])
    def test_repetition_penalty(self, engine: Engine, theirs: Any, length: int, penalty: float) -> None:
        self.check(engine, theirs, ids(length), penalty)


class TestReuse:
    def test_the_next_turn_reads_only_what_is_new(self, engine: Engine) -> None:
        engine.forget()
        prompt = ids(200)
        answer = tokens(write(engine, prompt, max_tokens=10))
        assert engine.cached_tokens == 209  # the last token was never read
        events = write(engine, [*prompt, *answer, *ids(30, seed=1)])
        assert finished(events).reused_tokens == 209
        progress = [event for event in events if isinstance(event, PrefillProgress)]
        assert [(event.done, event.total, event.reused) for event in progress][:: len(progress) - 1] == [
            (209, 240, 209), (240, 240, 209),
        ]  # fmt: skip

    def test_a_retry_reads_one_token_and_tells_no_prefill(self, engine: Engine) -> None:
        engine.forget()
        prompt = ids(300)
        first = write(engine, prompt, max_tokens=40)
        again = write(engine, prompt, max_tokens=40)
        assert finished(again).reused_tokens == 299
        assert math.isnan(finished(again).prefill_tps)
        assert not any(isinstance(event, PrefillProgress) for event in again)
        assert tokens(again) == tokens(first)

    def test_one_token_alone(self, engine: Engine) -> None:
        engine.forget()
        for _ in range(2):
            assert finished(write(engine, [7])).reused_tokens == 0

    def test_an_edit_reads_from_the_edit_on(self, engine: Engine) -> None:
        engine.forget()
        prompt = ids(300)
        write(engine, prompt)
        edited = [*prompt[:150], (prompt[150] + 1) % 1088, *prompt[151:]]
        assert finished(write(engine, edited)).reused_tokens == 150

    def test_nothing_in_common(self, engine: Engine) -> None:
        write(engine, [1, 2, 3])
        assert finished(write(engine, [2, 2, 3])).reused_tokens == 0

    def test_after_forget_nothing_is_reused(self, engine: Engine) -> None:
        write(engine, ids(50))
        engine.forget()
        assert engine.cached_tokens == 0
        assert finished(write(engine, ids(50))).reused_tokens == 0

    def test_without_history_a_pin_serves(self, small_window: Path) -> None:
        prompt = ids(400)
        with Engine.load(small_window, history_bytes=0) as bounded:
            first = write(bounded, prompt, pins=[399], max_tokens=300)
            assert finished(write(bounded, prompt, pins=[399], max_tokens=2)).reused_tokens == 399
            again = write(bounded, prompt, pins=[399], max_tokens=300)
            assert tokens(again) == tokens(first)
            bounded.forget()
            write(bounded, prompt, max_tokens=300)
            assert finished(write(bounded, prompt, max_tokens=2)).reused_tokens == 0

    def test_reusable_tells_it_beforehand(self, engine: Engine) -> None:
        engine.forget()
        assert engine.reusable([]) == engine.reusable([5]) == engine.reusable(ids(300)) == 0
        prompt = ids(300)
        answer = tokens(write(engine, prompt))
        for asked in (prompt, prompt[:1], [*prompt, *answer], [*prompt[:150], 5, 6], [*prompt, *answer, 5], [1, 2]):
            told = engine.reusable(asked)
            assert told == finished(write(engine, asked, max_tokens=1)).reused_tokens <= len(asked) - 1
            write(engine, prompt)
        with pytest.raises(PromptError):
            engine.reusable([5000])

    @pytest.mark.parametrize("history_bytes", [0, 100_000, 2**28])
    def test_after_any_edit_as_from_a_cold_start(self, small_window: Path, history_bytes: int) -> None:
        edit = st.tuples(
            st.floats(0, 1), st.sampled_from([1, 2, 7, 8, 9, 40, 256, 300]), st.sampled_from([1, 3, 20, 270])
        )
        with Engine.load(small_window, history_bytes=history_bytes) as warm, Engine.load(small_window) as cold:

            @settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
            @given(st.lists(edit, min_size=1, max_size=4), st.booleans())
            def check(edits: Sequence[tuple[float, int, int]], pinned: bool) -> None:
                warm.forget()
                text = ids(300)
                for number, (share, new, written) in enumerate(edits):
                    kept = int(share * len(text))
                    prompt = [*text[:kept], *ids(new, seed=number)]
                    pins = [len(prompt) - 1, kept] if pinned else []
                    told = warm.reusable(prompt)
                    found = write(warm, prompt, max_tokens=written, top_logprobs=2, pins=pins)
                    assert finished(found).reused_tokens == told <= kept + new - 1
                    if history_bytes == 2**28 and number:
                        assert finished(found).reused_tokens >= min(kept, len(text) - 1, len(prompt) - 1)
                    cold.forget()
                    assert_same_greedy(
                        steps(found)[:20], steps(write(cold, prompt, max_tokens=min(20, written), top_logprobs=2))
                    )
                    text = [*prompt, *tokens(found)]

            check()

    @pytest.mark.parametrize("back", [1, 2, 126, 127, 128, 129, 130, 254, 255, 256, 257, 298, 299])
    def test_window_edges(self, engine: Engine, checkpoint: Make, back: int) -> None:
        engine.forget()
        text = ids(300)
        write(engine, text, max_tokens=1)
        prompt = [*text[: 300 - back], 5, 6]
        warm = write(engine, prompt, top_logprobs=2, max_tokens=6)
        assert finished(warm).reused_tokens == 300 - back
        engine.forget()
        assert_same_greedy(steps(warm), steps(write(engine, prompt, top_logprobs=2, max_tokens=6)))


class TestSteps:
    def test_logprobs_and_experts_are_the_references(self, engine: Engine, checkpoint: Make) -> None:
        engine.forget()
        prompt = ids(130)
        events = steps(write(engine, prompt, SamplingParams(temperature=2.0, top_p=0.9), top_logprobs=5, router=True))
        truth = Reference.of(checkpoint())([*prompt, *tokens(events)])
        logprobs = truth.logits - np.logaddexp.reduce(truth.logits, axis=-1, keepdims=True)
        for step in events:
            read = len(prompt) + step.index - 1  # the token that this one follows
            assert step.logprob == pytest.approx(logprobs[read, step.token_id], abs=1e-3)
            best = np.argsort(-logprobs[read])[:5]
            assert [token for token, _ in step.alternatives] == best.tolist()
            assert [logprob for _, logprob in step.alternatives] == pytest.approx(logprobs[read, best], abs=1e-3)
            assert step.experts == tuple(tuple(layer[read]) for layer in truth.experts)

    def test_they_are_numbered_and_timed(self, engine: Engine) -> None:
        events = steps(write(engine, ids(10)))
        assert [step.index for step in events] == list(range(12))
        times = [step.elapsed_s for step in events]
        assert times == sorted(times)
        assert all(step.alternatives == step.experts == () for step in events)
        assert all(isinstance(step.params.seed, int) for step in events)

    def test_asking_for_more_changes_no_token(self, engine: Engine) -> None:
        params = SamplingParams(seed=3)
        plain = write(engine, ids(20), params)
        told = write(engine, ids(20), params, top_logprobs=1088, router=True)
        assert tokens(plain) == tokens(told)
        assert len(steps(told)[0].alternatives) == 1088

    def test_progress(self, checkpoint: Make, chunks_of: Callable[[Engine, int], None]) -> None:
        with Engine.load(checkpoint()) as engine:
            chunks_of(engine, 32)
            events = write(engine, ids(100), max_tokens=1)
            progress = [event for event in events if isinstance(event, PrefillProgress)]
            assert [(event.done, event.total, event.reused) for event in progress] == [
                (done, 100, 0) for done in (0, 32, 64, 96, 100)
            ]
            assert [event.elapsed_s for event in progress] == sorted(event.elapsed_s for event in progress)

    def test_what_the_layers_tell(self, checkpoint: Make) -> None:
        with Engine.load(checkpoint()) as engine:
            write(engine, ids(300), max_tokens=5)
            sliding, full = engine.layers()[:2]
            assert (sliding.tokens, sliding.visible, sliding.used_bytes) == (304, 128, 128 * 512)
            assert (sliding.history_bytes, sliding.allocated_bytes) == (176 * 512, 512 * 512)
            assert (full.tokens, full.visible, full.used_bytes, full.history_bytes) == (304, 304, 304 * 512, 0)
