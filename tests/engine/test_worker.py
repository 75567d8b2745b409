"""The engine's thread: loading on it, one answer at a time, readers that never wait for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from gptoss_tui.engine.events import Finished, ModelInfo, Step
from gptoss_tui.engine.generation import Generation
from gptoss_tui.engine.worker import Engine
from gptoss_tui.errors import (
    CheckpointError,
    EngineBusy,
    LoadCancelled,
    ParameterError,
    PromptError,
)
from tests.engine.driving import GREEDY, PATIENCE, Held, finished, ids, steps, tokens, write

Make = Callable[..., Path]


class TestLoad:
    def test_what_is_told(self, engine: Engine, checkpoint: Make) -> None:
        assert isinstance(engine.info, ModelInfo)
        assert engine.info.name == checkpoint().name
        assert (engine.busy, engine.cached_tokens) == (False, 0)
        assert [state.mode for state in engine.layers()] == list(engine.info.attention)

    def test_a_path_as_text(self, checkpoint: Make) -> None:
        with Engine.load(str(checkpoint())) as engine:
            assert write(engine, [1])

    def test_a_budget_below_nothing(self, checkpoint: Make) -> None:
        with pytest.raises(ParameterError, match="history bytes cannot be -1"):
            Engine.load(checkpoint(), history_bytes=-1)

    def test_faults_reach_the_caller_and_leave_no_thread(self, tmp_path: Path, checkpoint: Make) -> None:
        before = set(threading.enumerate())
        for _ in range(3):
            with pytest.raises(CheckpointError):
                Engine.load(tmp_path)
            with pytest.raises(LoadCancelled):
                Engine.load(checkpoint(), cancelled=lambda: True)
        end_of(set(threading.enumerate()) - before)

    def test_a_fault_in_on_progress(self, checkpoint: Make) -> None:
        def broken(_: object) -> None:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            Engine.load(checkpoint(), broken)

    def test_an_interrupt_of_the_caller_ends_the_loading(
        self, checkpoint: Make, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        reached, released = threading.Event(), threading.Event()

        def on_progress(_: object) -> None:
            reached.set()
            assert released.wait(PATIENCE)

        def interrupted(self: object, timeout: float | None = None) -> None:
            assert reached.wait(PATIENCE)
            raise KeyboardInterrupt

        before = set(threading.enumerate())
        monkeypatch.setattr("concurrent.futures.Future.result", interrupted)
        with pytest.raises(KeyboardInterrupt):
            Engine.load(checkpoint(), on_progress)
        released.set()
        end_of(set(threading.enumerate()) - before)


def end_of(started: Iterable[threading.Thread]) -> None:
    """Waits until these threads have ended."""
    for thread in started:
        thread.join(PATIENCE)
        assert not thread.is_alive()


class TestRequests:
    @pytest.mark.parametrize(
        ("prompt", "message"),
        [
            ([], "is empty"),
            ([0, 1088], "outside the vocabulary of 1,088"),
            ([-1], "outside the vocabulary"),
            ([2**40], "outside the vocabulary"),
        ],
    )
    def test_prompts_that_cannot_be_answered(self, engine: Engine, prompt: list[int], message: str) -> None:
        with pytest.raises(PromptError, match=message) as caught:
            engine.generate(prompt)
        assert caught.value.hint
        assert not engine.busy

    def test_a_prompt_that_fills_the_context(self, checkpoint: Make) -> None:
        with Engine.load(checkpoint(max_position_embeddings=40)) as engine:
            for length in (40, 41):
                with pytest.raises(PromptError, match="context holds 40"):
                    engine.generate(ids(length))
            assert len(tokens(write(engine, ids(39), max_tokens=None))) == 1

    @pytest.mark.parametrize(
        "options", [{"max_tokens": 0}, {"max_tokens": -1}, {"top_logprobs": -1}, {"top_logprobs": 1089}]
    )
    def test_senseless_options(self, engine: Engine, options: dict[str, int]) -> None:
        with pytest.raises(ParameterError):
            engine.generate([1], **options)  # type: ignore[arg-type]  # a dict of ints fits whichever it names

    def test_foreign_ids_are_not_prefilled(self, engine: Engine) -> None:
        with pytest.raises(PromptError):
            engine.prefill([1, 5000])

    def test_one_at_a_time(self, own: Engine) -> None:
        held = Held(own)
        first = own.generate(ids(5), GREEDY, max_tokens=3)
        held.wait()
        assert own.busy
        with pytest.raises(EngineBusy) as caught:
            own.generate([1])
        assert caught.value.hint
        held.leave()
        assert finished(list(first)).completion_tokens == 3
        assert not own.busy
        assert finished(write(own, [1])).completion_tokens == 12

    def test_many_threads_ask_and_one_gets_it(self, own: Engine) -> None:
        held = Held(own)
        begin = threading.Barrier(8)
        got: list[Generation] = []
        refused: list[EngineBusy] = []

        def ask() -> None:
            begin.wait(PATIENCE)
            try:
                got.append(own.generate([1, 2], GREEDY, max_tokens=1))
            except EngineBusy as busy:
                refused.append(busy)

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        assert (len(got), len(refused)) == (1, 7)
        held.leave()
        assert finished(list(got[0]))

    def test_the_next_can_be_asked_for_as_soon_as_the_end_was_told(self, engine: Engine) -> None:
        for _ in range(20):
            generation = engine.generate(ids(3), GREEDY, max_tokens=1)
            while not any(isinstance(event, Finished) for event in generation.drain()):
                pass
            assert generation.done


class TestReading:
    def test_drain_never_blocks_and_loses_nothing(self, own: Engine) -> None:
        held = Held(own)
        generation = own.generate(ids(5), GREEDY, max_tokens=5)
        held.wait()
        events = generation.drain()  # the model thread stands still, and this returns
        assert steps(generation.drain()) == []
        held.leave()
        assert generation.wait(PATIENCE)
        events += generation.drain()
        assert finished(events).completion_tokens == 5
        assert generation.drain() == []

    def test_what_is_written_is_known_without_taking_an_event(self, engine: Engine) -> None:
        with engine.generate(ids(5), GREEDY, max_tokens=8) as generation:
            assert generation.wait(PATIENCE)
            written = generation.written
            assert list(written) == [step.token_id for step in steps(generation.drain())]
            assert len(written) == 8
            assert generation.written == written

    def test_nobody_reads_and_it_ends_all_the_same(self, engine: Engine) -> None:
        generation = engine.generate(ids(5), GREEDY, max_tokens=50)
        assert generation.wait(PATIENCE)
        assert len(steps(generation.drain())) == 50

    def test_reused_tokens_are_known_with_the_first_event(self, engine: Engine) -> None:
        write(engine, ids(60), max_tokens=1)
        with engine.generate(ids(60), GREEDY, max_tokens=1) as generation:
            next(generation)
            assert generation.reused_tokens == 59

    def test_what_is_written_is_known_to_everybody_at_any_time(self, own: Engine) -> None:
        held = Held(own)
        generation = own.generate(ids(5), GREEDY, max_tokens=6)
        assert generation.written == ()
        held.allow(3)  # the prompt, and the passes behind the first two tokens
        for _ in range(4):
            held.wait()
        assert len(generation.written) == 2
        held.leave()
        assert generation.wait(PATIENCE)
        assert generation.written == tuple(tokens(generation.drain()))
        assert len(generation.written) == 6

    def test_on_event_comes_once_for_each_on_the_models_thread(self, engine: Engine) -> None:
        threads: list[str] = []
        generation = engine.generate(
            ids(5), GREEDY, max_tokens=5, on_event=lambda: threads.append(threading.current_thread().name)
        )
        events = list(generation)
        engine._call(lambda: None).result()
        assert threads == ["gptoss-model"] * len(events)

    def test_leaving_the_block_stops_and_waits(self, engine: Engine) -> None:
        with engine.generate(ids(5), GREEDY) as generation:
            first = next(generation)
        assert generation.done
        assert not engine.busy
        assert finished([first, *generation]).reason == "interrupted"

    def test_an_exception_in_the_block_is_not_swallowed(self, engine: Engine) -> None:
        with pytest.raises(KeyError), engine.generate(ids(5), GREEDY):
            raise KeyError
        assert not engine.busy

    def test_layers_never_waits(self, own: Engine) -> None:
        held = Held(own)
        generation = own.generate(ids(100), GREEDY, max_tokens=1)
        held.wait()  # a pass is under way
        assert own.cached_tokens == 0
        assert len(own.layers()) == 4
        held.leave()
        list(generation)
        assert own.cached_tokens == 100

    def test_reusable_never_waits(self, own: Engine) -> None:
        prompt = ids(100)
        write(own, prompt, max_tokens=1)
        held = Held(own)
        generation = own.generate([*prompt[:50], 1, 2], GREEDY, max_tokens=1)
        held.wait()
        assert own.reusable([*prompt[:50], 1, 2]) == 50
        held.leave()
        list(generation)

    def test_layers_while_writing_are_never_torn(self, engine: Engine) -> None:
        engine.forget()
        with engine.generate(ids(250), GREEDY, max_tokens=80) as generation:
            while not generation.done:
                assert len({state.tokens for state in engine.layers()}) == 1


def test_a_step_is_what_the_reader_gets(engine: Engine) -> None:
    """Only plain values leave the thread."""
    for event in write(engine, ids(5), top_logprobs=2, router=True):
        if isinstance(event, Step):
            assert type(event.token_id) is int
            assert type(event.logprob) is float
            assert all(type(token) is int and type(logprob) is float for token, logprob in event.alternatives)
            assert all(type(expert) is int for layer in event.experts for expert in layer)
