"""The engine's thread: one answer at a time, faults that reach the reader, clean ends, nothing left behind."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import mlx.core as mx
import pytest

from gptoss_tui.engine.events import Finished, ModelInfo, Step
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.engine.worker import Engine, Generation
from gptoss_tui.errors import (
    CheckpointError,
    DeviceError,
    EngineBusy,
    EngineClosed,
    LoadCancelled,
    ParameterError,
    PromptError,
)
from tests.engine.driving import GREEDY, PATIENCE, Held, finished, ids, steps, tokens, write

Make = Callable[..., Path]


@pytest.fixture(scope="module")
def engine(checkpoint: Make) -> Iterator[Engine]:
    with Engine.load(checkpoint()) as engine:
        yield engine


@pytest.fixture
def own(checkpoint: Make) -> Iterator[Engine]:
    """An engine that the test may break."""
    with Engine.load(checkpoint()) as engine:
        yield engine


class TestLoad:
    def test_what_is_told(self, engine: Engine, checkpoint: Make) -> None:
        assert isinstance(engine.info, ModelInfo)
        assert engine.info.name == checkpoint().name
        assert (engine.busy, engine.cached_tokens) == (False, 0)
        assert [state.mode for state in engine.layers()] == list(engine.info.attention)

    def test_a_path_as_text(self, checkpoint: Make) -> None:
        with Engine.load(str(checkpoint())) as engine:
            assert write(engine, [1])

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

    def test_nobody_reads_and_it_ends_all_the_same(self, engine: Engine) -> None:
        generation = engine.generate(ids(5), GREEDY, max_tokens=50)
        assert generation.wait(PATIENCE)
        assert len(steps(generation.drain())) == 50

    def test_reused_tokens_are_known_with_the_first_event(self, engine: Engine) -> None:
        write(engine, ids(60), max_tokens=1)
        with engine.generate(ids(60), GREEDY, max_tokens=1) as generation:
            next(generation)
            assert generation.reused_tokens == 59

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

    def test_layers_while_writing_are_never_torn(self, engine: Engine) -> None:
        engine.forget()
        with engine.generate(ids(250), GREEDY, max_tokens=80) as generation:
            while not generation.done:
                assert len({state.tokens for state in engine.layers()}) == 1


class TestFaults:
    def test_in_before_sample(self, own: Engine) -> None:
        def hook(index: int, previous: int | None, params: SamplingParams) -> None:
            if index == 3:
                raise ZeroDivisionError("in the hook")

        generation = own.generate(ids(5), GREEDY, before_sample=hook)
        events: list[Any] = []
        with pytest.raises(ZeroDivisionError, match="in the hook"):
            events.extend(iter(generation.__next__, None))
        self.usable(own)

    def test_its_events_come_before_it(self, own: Engine) -> None:
        def hook(index: int, previous: int | None, params: SamplingParams) -> None:
            if index == 3:
                raise ZeroDivisionError

        generation = own.generate(ids(5), GREEDY, before_sample=hook)
        assert generation.wait(PATIENCE)
        assert len(steps(generation.drain())) == 3
        with pytest.raises(ZeroDivisionError):
            generation.drain()
        assert generation.drain() == []  # told once
        assert list(generation) == []

    def test_in_on_event(self, own: Engine) -> None:
        def on_event() -> None:
            raise ZeroDivisionError

        generation = own.generate(ids(5), GREEDY, on_event=on_event)
        with pytest.raises(ZeroDivisionError):
            list(generation)
        self.usable(own)

    @pytest.mark.parametrize("calls", [0, 1, 5])
    def test_of_the_device(self, own: Engine, calls: int) -> None:
        held = Held(own)
        left = [calls]

        def fail() -> None:
            if left[0] == 0:
                raise RuntimeError("[METAL] Command buffer execution failed: Insufficient Memory\nand more")
            left[0] -= 1

        held.before_pass = fail
        held.allow(100)
        generation = own.generate(ids(5), GREEDY)
        with pytest.raises(DeviceError, match="Insufficient Memory") as caught:
            list(generation)
        assert "\n" not in caught.value.message
        assert caught.value.hint
        held.leave()
        assert own.cached_tokens == 0
        self.usable(own)

    def test_of_the_device_while_prefilling_ahead(self, own: Engine) -> None:
        held = Held(own)

        def fail() -> None:
            raise RuntimeError

        held.before_pass = fail
        held.allow(1)
        own.prefill(ids(50))
        own._call(lambda: None).result()
        held.leave()
        assert own.cached_tokens == 0
        self.usable(own)

    def test_no_memory_of_the_host(self, own: Engine) -> None:
        held = Held(own)

        def fail() -> None:
            raise MemoryError

        held.before_pass = fail
        held.allow(1)
        with pytest.raises(MemoryError):
            list(own.generate(ids(5), GREEDY))
        held.leave()
        self.usable(own)

    def usable(self, engine: Engine) -> None:
        assert not engine.busy
        first = write(engine, ids(40))
        assert finished(first).reused_tokens == 0
        assert tokens(write(engine, ids(40))) == tokens(first)


class TestClose:
    def test_twice(self, checkpoint: Make) -> None:
        engine = Engine.load(checkpoint())
        engine.close()
        engine.close()
        assert not engine._thread.is_alive()

    def test_afterwards_every_call_says_so(self, checkpoint: Make) -> None:
        engine = Engine.load(checkpoint())
        write(engine, [1])
        engine.close()
        for _ in range(2):
            for call in (
                lambda: engine.generate([1]),
                lambda: engine.prefill([1]),
                engine.forget,
                engine.layers,
                lambda: engine.cached_tokens,
            ):
                with pytest.raises(EngineClosed):
                    call()
        assert not engine.busy
        assert engine.info.layers == 4

    def test_while_writing(self, checkpoint: Make) -> None:
        engine = Engine.load(checkpoint())
        generation = engine.generate(ids(5), GREEDY)
        first = next(generation)
        engine.close()
        assert generation.done
        assert finished([first, *generation]).reason == "interrupted"

    def test_while_prefilling_ahead(self, checkpoint: Make) -> None:
        engine = Engine.load(checkpoint())
        held = Held(engine)
        engine.prefill(ids(5000))
        held.wait()
        engine.close(wait=False)
        held.leave()
        engine.close()
        assert not engine._thread.is_alive()

    def test_whoever_asks_meanwhile_is_never_left_waiting(self, checkpoint: Make) -> None:
        for _ in range(5):
            engine = Engine.load(checkpoint())
            begin = threading.Barrier(2)
            outcome: list[object] = []

            def ask(engine: Engine = engine, begin: threading.Barrier = begin, outcome: list[object] = outcome) -> None:
                begin.wait(PATIENCE)
                try:
                    outcome.append(list(engine.generate([1], GREEDY, max_tokens=2)))
                except EngineClosed as closed:
                    outcome.append(closed)

            thread = threading.Thread(target=ask)
            thread.start()
            begin.wait(PATIENCE)
            engine.close()
            thread.join(PATIENCE)
            assert len(outcome) == 1

    def test_nothing_is_left(self, checkpoint: Make) -> None:
        engine = Engine.load(checkpoint())
        # Arrays know no weak references; what holds them does.
        generator = weakref.ref(engine._generator)
        generation = engine.generate(ids(300), GREEDY, max_tokens=5, top_logprobs=3, router=True)
        list(generation)
        watched = weakref.ref(generation)
        del generation
        list(engine.generate([1], GREEDY, max_tokens=1))
        engine._call(lambda: None).result()
        gc.collect()
        assert watched() is None
        engine.close()
        gc.collect()
        assert generator() is None

    def test_memory_comes_back(self, checkpoint: Make) -> None:
        def one() -> int:
            with Engine.load(checkpoint()) as engine:
                write(engine, ids(300))
            gc.collect()
            mx.clear_cache()
            return mx.get_active_memory()

        first = one()
        assert one() <= first + 1000


class TestSeveral:
    def test_one_after_the_other(self, checkpoint: Make) -> None:
        answers = []
        for _ in range(3):
            with Engine.load(checkpoint()) as engine:
                answers.append(tokens(write(engine, ids(20))))
        assert answers[0] == answers[1] == answers[2]

    def test_side_by_side(self, engine: Engine, checkpoint: Make) -> None:
        with Engine.load(checkpoint()) as other:
            both = [each.generate(ids(20), GREEDY, max_tokens=30) for each in (engine, other)]
            first, second = (tokens(list(generation)) for generation in both)
            assert first == second
        # The end of the other one's thread leaves this one's streams alone.
        assert tokens(write(engine, ids(20), max_tokens=30)) == first


LEAVING = """
import sys
from gptoss_tui.engine.worker import Engine
from gptoss_tui.engine.params import SamplingParams

engine = Engine.load(sys.argv[1])
match sys.argv[2]:
    case "idle":
        list(engine.generate([1, 2, 3], SamplingParams(temperature=0), max_tokens=5))
    case "writing":
        next(engine.generate([1, 2, 3], SamplingParams(temperature=0)))
    case "prefilling":
        engine.prefill([1, 2, 3] * 5000)
    case "raising":
        next(engine.generate([1, 2, 3]))
        sys.exit(7)
"""


@pytest.mark.parametrize(("doing", "code"), [("idle", 0), ("writing", 0), ("prefilling", 0), ("raising", 7)])
def test_a_process_that_ends_without_close_ends_cleanly(checkpoint: Make, doing: str, code: int) -> None:
    command = [sys.executable, "-c", LEAVING, str(checkpoint()), doing]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (done.returncode, done.stderr) == (code, "")


def test_a_step_is_what_the_reader_gets(engine: Engine) -> None:
    """Only plain values leave the thread."""
    for event in write(engine, ids(5), top_logprobs=2, router=True):
        if isinstance(event, Step):
            assert type(event.token_id) is int
            assert type(event.logprob) is float
            assert all(type(token) is int and type(logprob) is float for token, logprob in event.alternatives)
            assert all(type(expert) is int for layer in event.experts for expert in layer)
