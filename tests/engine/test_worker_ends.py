"""Faults that reach the reader, engines that are closed or forgotten, and nothing left behind."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlx.core as mx
import pytest

from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.engine.worker import Engine
from gptoss_tui.errors import (
    DeviceError,
    EngineClosed,
)
from tests.engine.driving import GREEDY, PATIENCE, Held, finished, ids, steps, tokens, write

Make = Callable[..., Path]


class TestFaults:
    def test_in_before_sample(self, own: Engine) -> None:
        def hook(index: int, previous: int | None, params: SamplingParams) -> None:
            if index == 3:
                raise ZeroDivisionError("in the hook")

        generation = own.generate(ids(5), GREEDY, before_sample=hook)
        events: list[Any] = []
        with pytest.raises(ZeroDivisionError, match="in the hook"):
            events.extend(iter(generation.__next__, None))
        self.usable(own, reused=5)

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

    @pytest.mark.parametrize("index", [0, 3])
    def test_a_callers_runtime_error_is_not_the_devices(self, own: Engine, index: int) -> None:
        def hook(now: int, previous: int | None, params: SamplingParams) -> None:
            if now == index:
                raise RuntimeError("mine")

        prompt = ids(40)
        first = tokens(write(own, prompt))
        generation = own.generate(prompt, GREEDY, before_sample=hook)
        with pytest.raises(RuntimeError, match=r"^mine$"):
            list(generation)
        assert generation.written == tuple(first[:index])
        # The caches are none the worse for it.
        assert own.cached_tokens == 40 + index
        again = write(own, prompt)
        assert (finished(again).reused_tokens, tokens(again)) == (39, first)

    def test_a_runtime_error_of_on_event_is_not_the_devices(self, own: Engine) -> None:
        def on_event() -> None:
            if own.cached_tokens > 42:
                raise RuntimeError("the screen is gone")

        prompt = ids(40)
        first = tokens(write(own, prompt))
        with pytest.raises(RuntimeError, match="the screen is gone"):
            list(own.generate(prompt, GREEDY, on_event=on_event))
        again = write(own, [*prompt, *first])
        assert finished(again).reused_tokens >= 42
        own.forget()
        assert tokens(write(own, [*prompt, *first])) == tokens(again)

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

    def usable(self, engine: Engine, reused: int = 0) -> None:
        """It answers, from empty caches unless `reused` tokens were kept."""
        assert not engine.busy
        first = write(engine, ids(40))
        assert finished(first).reused_tokens == reused
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
