"""What other threads may change while an answer is being written, and whose fault it is when something raises.

No mlx here.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from gptoss_tui.engine.events import Event, Step
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.errors import DeviceError


class CallerFault(Exception):
    """Carries what a caller's own code raised on the model's thread, so that nobody takes it for the device's fault."""

    def __init__(self, fault: Exception) -> None:
        super().__init__(str(fault))
        self.fault = fault
        """What was raised."""


@contextmanager
def callers_own() -> Iterator[None]:
    """Runs a caller's code: what it raises comes out as `CallerFault`."""
    try:
        yield
    except Exception as fault:
        raise CallerFault(fault) from fault


class Control:
    """The parameters in force and the wish to stop, shared by the model's thread and all others."""

    def __init__(self, params: SamplingParams) -> None:
        """A seed of None is drawn here, so that the answer can be told how to be had again."""
        # SystemRandom: a program that seeds `random` for its own ends must not get the same answer each time.
        seed = random.SystemRandom().getrandbits(63) if params.seed is None else params.seed
        self.stopped = False
        """Set from any thread; the model's thread looks at it after each token and each prefill chunk."""
        self.reused_tokens = 0
        """Prompt tokens that were in the cache; set before the first event."""
        self._params = replace(params, seed=seed)
        # Reentrant: an `emit` that looks at the parameters runs under it.
        self._lock = threading.RLock()

    @property
    def params(self) -> SamplingParams:
        """What chooses the first token that is not emitted yet. Set from any thread; a seed of None keeps the present
        one."""
        return self._params

    @params.setter
    def params(self, params: SamplingParams) -> None:
        with self._lock:
            self._params = params if params.seed is not None else replace(params, seed=self.seed)

    @property
    def seed(self) -> int:
        """The seed in force."""
        assert self._params.seed is not None
        return self._params.seed

    def emit_unless_changed(self, step: Step, emit: Callable[[Event], None]) -> Step | None:
        """Emits the step and returns it, or returns None where parameters other than its own are in force by now.

        Looking and emitting are one act: once a change was made, no token of the old parameters follows.
        """
        with self._lock:
            if step.params != self._params:
                return None
            emit(step)
            return step


def as_device_error(fault: BaseException) -> BaseException:
    """MLX reports a failing device as a RuntimeError of some later evaluation."""
    if type(fault) is not RuntimeError:
        return fault
    return DeviceError(
        f"The device failed while computing: {str(fault).splitlines()[0] if str(fault) else 'no reason given'}",
        "The caches were emptied; try again. If it keeps failing, close other programs or shorten the conversation.",
    )
