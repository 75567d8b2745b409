"""Moving about in a tree of conversations with real models: greedy answers are always a cold start's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.engine.parked import TRIVIAL
from gptoss_tui.engine.worker import Engine
from tests.engine.driving import GREEDY, Held, assert_same_greedy, finished, ids, steps, tokens, write

Make = Callable[..., Path]

HOT = SamplingParams(temperature=2.0, seed=1)

TOKEN = 4 * 512
"""Bytes of a token in all four layers, in float32."""


def read(engine: Engine, text: Sequence[int]) -> None:
    """An idle prefill that nobody overtakes."""
    engine.prefill(text)
    engine._call(lambda: None).result()


def turning(index: int, *_: object) -> SamplingParams | None:
    """Changes parameters at every token from the twelfth on, so that passes are discarded."""
    return (HOT, GREEDY)[index % 2] if index > 12 else None


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["generate", "generate", "prefill", "retry", "turn"]),
        st.integers(0, 7),
        st.floats(0, 1),
        st.sampled_from([1, 3, 17, 64, 127, 128, 129, 200]),
        st.integers(0, 2),
    ),
    min_size=2,
    max_size=6,
)


def wander(warm: Engine, cold: Engine, moves: Sequence[tuple[str, int, float, int, int]], pinned: bool) -> None:
    """Moves about and asks, and compares each answer with the other engine's, which begins anew each time."""
    warm.forget()
    texts = [ids(150)]
    for what, which, share, count, seed in moves:
        base = texts[which % len(texts)]
        kept = int(share * len(base))
        prompt = base if what == "retry" else [*base[:kept], *ids(count, seed=seed)]
        if what == "prefill":
            read(warm, prompt)
            texts.append(prompt)
            continue
        told = warm.reusable(prompt)
        pins = (len(prompt) - 1, kept) if pinned else ()
        hook = turning if what == "turn" else None
        found = write(warm, prompt, max_tokens=20, top_logprobs=2, pins=pins, before_sample=hook)
        assert finished(found).reused_tokens == told
        cold.forget()
        assert_same_greedy(steps(found)[:12], steps(write(cold, prompt, max_tokens=12, top_logprobs=2)))
        texts.append([*prompt, *tokens(found)])


@pytest.mark.parametrize("window", [8, 128])
@pytest.mark.parametrize("budget", [0, TOKEN * 120, TOKEN * 500, 2**28])
def test_any_wandering_answers_as_from_a_cold_start(checkpoint: Make, window: int, budget: int) -> None:
    folder = checkpoint(sliding_window=window)
    with Engine.load(folder, history_bytes=budget) as warm, Engine.load(folder) as cold:

        @settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
        @given(MOVES, st.booleans())
        def check(moves: Sequence[tuple[str, int, float, int, int]], pinned: bool) -> None:
            wander(warm, cold, moves, pinned)

        check()


def test_as_on_a_gpu(checkpoint: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fused attention, and float32 so that answers can be compared."""
    monkeypatch.setattr(mx, "default_device", lambda: mx.Device(mx.gpu))
    folder = checkpoint(dtype=mx.float32)
    with Engine.load(folder, history_bytes=TOKEN * 900) as warm, Engine.load(folder) as cold:

        @settings(max_examples=5, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
        @given(MOVES, st.booleans())
        def check(moves: Sequence[tuple[str, int, float, int, int]], pinned: bool) -> None:
            wander(warm, cold, moves, pinned)

        check()


def rows(engine: Engine) -> list[np.ndarray]:
    """Every layer's rows as they are on the line now."""
    cache = engine._generator.context._cache
    return engine._call(
        lambda: [np.array(layer._rows[:, : layer.length - layer.start]) for layer in cache.layers]  # type: ignore[index]
    ).result()


class TestSiblings:
    def test_switching_reads_nothing_but_the_last_token(self, own: Engine) -> None:
        """Two answers to one question, the conversation going on under each."""
        question = ids(200)
        first = [*question, *ids(180, seed=1)]
        second = [*question, *ids(150, seed=2)]
        answers = [tokens(write(own, line, max_tokens=30)) for line in (first, second)]
        lines = [[*line, *answer[:-1]] for line, answer in zip((first, second), answers, strict=True)]
        for _ in range(3):
            for line, answer in zip(lines, answers, strict=True):
                assert own.reusable([*line, *answer[-1:]]) == len(line)
                again = write(own, [*line, *answer[-1:]], max_tokens=1)
                assert finished(again).reused_tokens == len(line)
        assert own.memory().parked_branches == 1

    def test_what_comes_back_is_what_went_bit_for_bit(self, own: Engine) -> None:
        question = ids(200)
        line = [*question, *ids(180, seed=1)]
        write(own, line, max_tokens=1)
        before = rows(own)
        write(own, [*question, *ids(90, seed=2)], max_tokens=5)
        read(own, line)
        assert all((one == other).all() for one, other in zip(rows(own), before, strict=True))

    def test_it_costs_no_pass(self, own: Engine) -> None:
        question = ids(200)
        line = [*question, *ids(180, seed=1)]
        read(own, line)
        read(own, [*question, *ids(90, seed=2)])
        held = Held(own)  # lets no pass through
        read(own, line)
        assert own.cached_tokens == 380
        held.leave()

    def test_an_idle_prefill_parks_the_answer_that_it_leaves(self, own: Engine) -> None:
        """Harmony drops the analysis, so reading ahead leaves the answer as it was written; going on with it, or
        editing it, comes back to there."""
        prompt = ids(100)
        answer = tokens(write(own, prompt, max_tokens=60))
        read(own, [*prompt, *ids(30, seed=1)])
        assert own.reusable([*prompt, *answer, 5]) == 159
        going_on = write(own, [*prompt, *answer], max_tokens=20, top_logprobs=2)
        assert finished(going_on).reused_tokens == 159
        own.forget()
        assert_same_greedy(steps(going_on), steps(write(own, [*prompt, *answer], max_tokens=20, top_logprobs=2)))

    def test_a_tail_of_reading_ahead_is_let_go(self, own: Engine) -> None:
        prompt = ids(100)
        read(own, [*prompt, 1, 2, 3])
        write(own, [*prompt, 5, 6], max_tokens=1)
        assert own.memory().parked_branches == 0
        assert TRIVIAL >= 3

    def test_an_overtaken_prefill_leaves_what_it_read(
        self, own: Engine, chunks_of: Callable[[Engine, int], None]
    ) -> None:
        chunks_of(own, 32)
        line = ids(400)
        held = Held(own)
        own.prefill(line)
        for _ in range(3):
            held.allow()
            held.wait()
        generation = own.generate([*line[:20], 5], GREEDY, max_tokens=1)
        held.leave()
        list(generation)
        read = own.reusable(line)
        assert 64 <= read < 400
        assert read % 32 == 0
        assert finished(write(own, line, max_tokens=1)).reused_tokens == read


class TestMemory:
    def test_what_it_tells(self, own: Engine) -> None:
        memory = own.memory()
        assert (memory.history_bytes, memory.pinned_bytes, memory.parked_bytes, memory.parked_branches) == (0, 0, 0, 0)
        assert memory.budget_bytes == 256 * 2**20
        write(own, ids(300), max_tokens=1)
        write(own, [*ids(200), *ids(50, seed=1)], max_tokens=1)
        memory = own.memory()
        assert memory.parked_branches == 1
        assert memory.parked_bytes == 100 * TOKEN
        assert memory.history_bytes == (250 - 128) * TOKEN // 2
        # What a layer tells has its old meaning: branches are no part of it.
        states = own.layers()
        assert sum(state.history_bytes for state in states) == memory.history_bytes + memory.pinned_bytes
        own.forget()
        assert own.memory().parked_branches == own.memory().parked_bytes == 0

    def test_it_never_waits(self, own: Engine) -> None:
        held = Held(own)
        generation = own.generate(ids(100), GREEDY, max_tokens=1)
        held.wait()
        assert own.memory().parked_bytes == 0
        held.leave()
        list(generation)
