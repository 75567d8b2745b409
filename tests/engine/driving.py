"""What the tests of the generator and of the worker share: greedy runs, comparisons, and a model that can be held."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from gptoss_tui.engine.events import Event, Finished, Step
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.engine.worker import Engine

GREEDY = SamplingParams(temperature=0.0)

NEAR_TIE = 1e-4
"""Two logprobs this close may change places in float32 when sums are made in another order."""

PATIENCE = 60.0
"""Seconds after which a test that waits for a thread gives up; nothing takes this long unless it hangs."""


def ids(count: int, seed: int = 0, vocabulary: int = 1088) -> list[int]:
    """A prompt of random tokens."""
    return [int(n) for n in np.random.default_rng(seed).integers(0, vocabulary, count)]


def steps(events: Iterable[Event]) -> list[Step]:
    return [event for event in events if isinstance(event, Step)]


def tokens(events: Iterable[Event]) -> list[int]:
    return [step.token_id for step in steps(events)]


def finished(events: Sequence[Event]) -> Finished:
    """The `Finished`, which must be the last event and the only one."""
    assert [isinstance(event, Finished) for event in events] == [False] * (len(events) - 1) + [True]
    end = events[-1]
    assert isinstance(end, Finished)
    assert end.completion_tokens == len(steps(events))
    return end


def write(engine: Engine, prompt: Sequence[int], params: SamplingParams = GREEDY, **options: Any) -> list[Event]:
    """One answer from beginning to end."""
    options.setdefault("max_tokens", 12)
    return list(engine.generate(prompt, params, **options))


def assert_same_greedy(found: Sequence[Step], expected: Sequence[Step]) -> None:
    """Equal tokens up to a near tie; both were told with two alternatives."""
    for ours, theirs in zip(found, expected, strict=True):
        if ours.token_id != theirs.token_id:
            (_, first), (_, second) = theirs.alternatives[:2]
            assert first - second < NEAR_TIE, f"token {ours.index}: {ours.token_id} instead of {theirs.token_id}"
            return


class Held:
    """Stands before an engine's model and lets passes through one by one, or as many as `allow` says."""

    def __init__(self, engine: Engine) -> None:
        self.generator = engine._generator
        self.model = self.generator.model
        self.entered = threading.Semaphore(0)
        self.passes = threading.Semaphore(0)
        self.before_pass: Callable[[], None] = lambda: None
        self.generator.model = self  # type: ignore[assignment]  # everything but the call is the model's own

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)

    def __call__(self, *args: Any, **options: Any) -> Any:
        self.entered.release()
        assert self.passes.acquire(timeout=PATIENCE)
        self.before_pass()
        return self.model(*args, **options)

    def wait(self) -> None:
        """Until the model thread stands before a pass."""
        assert self.entered.acquire(timeout=PATIENCE)

    def allow(self, passes: int = 1) -> None:
        self.passes.release(passes)

    def leave(self) -> None:
        """From now on nothing is held."""
        self.generator.model = self.model
        self.passes.release(10_000)
