"""`Generation`: the handle on one answer that is being written, for whoever reads, turns or stops it.

The model's thread puts events in and never waits; any other thread takes them out. Knows no model and imports no mlx.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from types import TracebackType

from gptoss_tui.engine.control import Control, callers_own
from gptoss_tui.engine.events import Event, Finished, Step
from gptoss_tui.engine.params import SamplingParams


class Generation(Iterator[Event]):
    """One answer being written. Iterating blocks; `drain` never does. Leaving `with` stops it and waits."""

    def __init__(self, control: Control, on_event: Callable[[], None] | None) -> None:
        self._control = control
        self._on_event = on_event
        self._events: deque[Event] = deque()
        self._changed = threading.Condition()
        self._written: list[int] = []
        self._done = False
        self._fault: BaseException | None = None

    @property
    def params(self) -> SamplingParams:
        """The parameters in force, seed included. A change, from any thread, holds from the first token not yet
        emitted."""
        return self._control.params

    @params.setter
    def params(self, params: SamplingParams) -> None:
        self._control.params = params

    @property
    def reused_tokens(self) -> int:
        """Prompt tokens that needed no prefill; valid once an event has come."""
        return self._control.reused_tokens

    @property
    def written(self) -> tuple[int, ...]:
        """The ids of all tokens emitted so far, taken or not. From any thread, at any time."""
        with self._changed:
            return tuple(self._written)

    @property
    def done(self) -> bool:
        """Whether the model thread has finished with it; events may still wait to be taken."""
        return self._done

    def stop(self) -> None:
        """Ends the answer after the token that is being computed. From any thread."""
        self._control.stopped = True

    def wait(self, timeout: float | None = None) -> bool:
        """Blocks until the model thread has finished with it, or `timeout` seconds; whether it has."""
        with self._changed:
            return self._changed.wait_for(lambda: self._done, timeout)

    def drain(self) -> list[Event]:
        """All events that have come since the last call, at once. Raises the fault that ended it, after its last
        events."""
        with self._changed:
            events = list(self._events)
            self._events.clear()
            if not events:
                self._raise_fault()
            return events

    def __next__(self) -> Event:
        with self._changed:
            self._changed.wait_for(lambda: self._events or self._done)
            if self._events:
                return self._events.popleft()
            self._raise_fault()
            raise StopIteration

    def __enter__(self) -> Generation:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self.wait()

    def _raise_fault(self) -> None:
        fault, self._fault = self._fault, None
        if fault is not None:
            raise fault

    def _put(self, event: Event) -> None:
        """Queues an event; on the model's thread. Raises `CallerFault` for what `on_event` raises."""
        with self._changed:
            self._events.append(event)
            if isinstance(event, Step):
                self._written.append(event.token_id)
            self._done = self._done or isinstance(event, Finished)
            self._changed.notify_all()
        if self._on_event is not None:
            with callers_own():
                self._on_event()

    def _fail(self, fault: BaseException) -> None:
        """Ends it with a fault; on the model's thread."""
        with self._changed:
            self._fault = fault
            self._done = True
            self._changed.notify_all()
        if self._on_event is not None:
            self._on_event()
