"""Where and why answers end, and what is read while nobody waits."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from gptoss_tui.engine.worker import Engine
from tests.engine.driving import (
    GREEDY,
    Held,
    assert_same_greedy,
    finished,
    ids,
    steps,
    tokens,
    write,
)

Make = Callable[..., Path]


class TestEnd:
    def test_a_stop_token_is_told_as_a_step(self, engine: Engine) -> None:
        prompt = ids(30)
        answer = tokens(write(engine, prompt))
        stop = answer[5]
        events = write(engine, prompt, stop_ids={stop, 1087})
        assert tokens(events) == answer[: answer.index(stop) + 1]
        end = finished(events)
        assert (end.reason, end.stop_id) == ("stop", stop)
        # What follows the stop token rests on exact caches too.
        following = [*prompt, *tokens(events), 3]
        warm = write(engine, following, top_logprobs=2)
        # The pass that reads the stop token was under way when it was drawn, and is not wasted.
        assert finished(warm).reused_tokens == len(following) - 1
        engine.forget()
        assert_same_greedy(steps(warm), steps(write(engine, following, top_logprobs=2)))

    @pytest.mark.parametrize("count", [1, 2, 3, 10])
    def test_max_tokens(self, engine: Engine, count: int) -> None:
        end = finished(write(engine, ids(30), max_tokens=count))
        assert (end.reason, end.stop_id, end.completion_tokens) == ("length", None, count)
        assert math.isnan(end.decode_tps) == (count == 1)
        assert end.ttft_s > 0

    @pytest.mark.parametrize(
        ("prompt", "max_tokens", "written", "reason"),
        [(30, None, 10, "context"), (30, 11, 10, "context"), (30, 9, 9, "length"), (39, None, 1, "context")],
    )
    def test_the_context_ends(
        self, checkpoint: Make, prompt: int, max_tokens: int | None, written: int, reason: str
    ) -> None:
        with Engine.load(checkpoint(max_position_embeddings=40)) as engine:
            end = finished(write(engine, ids(prompt), max_tokens=max_tokens))
            assert (end.reason, end.completion_tokens) == (reason, written)

    def test_stopped_while_prefilling(self, checkpoint: Make, chunks_of: Callable[[Engine, int], None]) -> None:
        with Engine.load(checkpoint()) as engine:
            chunks_of(engine, 32)
            held = Held(engine)
            generation = engine.generate(ids(400), GREEDY)
            held.wait()
            held.allow()
            held.wait()
            generation.stop()
            held.leave()
            events = list(generation)
            end = finished(events)
            assert (end.reason, end.completion_tokens) == ("interrupted", 0)
            assert math.isnan(end.ttft_s)
            assert engine.cached_tokens == 64
            assert finished(write(engine, ids(400), max_tokens=1)).reused_tokens == 64

    def test_stopped_while_writing(self, engine: Engine) -> None:
        prompt = ids(30)
        with engine.generate(prompt, GREEDY, top_logprobs=2) as generation:
            events = []
            for event in generation:
                events.append(event)
                if len(steps(events)) == 5:
                    generation.stop()
        assert finished(events).reason == "interrupted"
        warm = write(engine, [*prompt, *tokens(events), 4], top_logprobs=2)
        assert finished(warm).reused_tokens >= 34
        engine.forget()
        assert_same_greedy(steps(warm), steps(write(engine, [*prompt, *tokens(events), 4], top_logprobs=2)))


class TestIdlePrefill:
    def test_the_following_answer_reads_only_the_rest(self, engine: Engine) -> None:
        engine.forget()
        prompt = ids(300)
        engine.prefill(prompt[:250])
        assert not engine.busy
        events = write(engine, prompt, top_logprobs=2)
        # It may have been overtaken; what it read is kept either way.
        assert finished(events).reused_tokens in range(251)
        engine.forget()
        assert_same_greedy(steps(events), steps(write(engine, prompt, top_logprobs=2)))

    def test_an_answer_ends_it_at_the_next_chunk(
        self, checkpoint: Make, chunks_of: Callable[[Engine, int], None]
    ) -> None:
        prompt = ids(400)
        with Engine.load(checkpoint()) as engine:
            chunks_of(engine, 32)
            held = Held(engine)
            engine.prefill(prompt)
            held.wait()
            held.allow()
            held.wait()  # before its second chunk
            generation = engine.generate(prompt, GREEDY, max_tokens=3, top_logprobs=2)
            held.leave()
            events = list(generation)
            assert finished(events).reused_tokens == 64
            engine.forget()
            assert_same_greedy(steps(events), steps(write(engine, prompt, max_tokens=3, top_logprobs=2)))

    def test_one_that_was_overtaken_touches_nothing(self, checkpoint: Make) -> None:
        with Engine.load(checkpoint()) as engine:
            prompt = ids(100)
            write(engine, prompt, max_tokens=2)
            gate = threading.Event()
            engine._call(gate.wait)  # the thread is busy while both are asked for
            engine.prefill(ids(100, seed=9))
            answer = engine.generate([*prompt, 1, 2], GREEDY, max_tokens=1)
            gate.set()
            assert finished(list(answer)).reused_tokens == 100

    @pytest.mark.parametrize("length", [0, 1, 50, 100])
    def test_with_nothing_to_read_it_drops_nothing(self, checkpoint: Make, length: int) -> None:
        with Engine.load(checkpoint()) as engine:
            prompt = ids(100)
            write(engine, prompt, max_tokens=1)
            engine.prefill(prompt[:length])
            assert finished(write(engine, [*prompt, 5], max_tokens=1)).reused_tokens == 100

    def test_longer_than_the_context(self, checkpoint: Make) -> None:
        with Engine.load(checkpoint(max_position_embeddings=64)) as engine:
            engine.prefill(ids(500))
            engine._call(lambda: None).result()
            assert engine.cached_tokens == 64
