"""`Turn`: one answer while it is being written, as text. Parses in the thread of whoever takes the events.

Knows neither the conversation that the answer belongs to nor how its prompt came about: `session` does.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, assert_never

from gptoss_tui.chat.events import Token, TurnEvent, TurnFinished, TurnReason
from gptoss_tui.engine.events import Event, Finished, PrefillProgress, Step
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.harmony import Harmony
from gptoss_tui.harmony.messages import Channel, Message

if TYPE_CHECKING:
    # Importing it for real would load MLX, before the first frame is on the screen.
    from gptoss_tui.engine.generation import Generation


class Turn(Iterator[TurnEvent]):
    """An answer under way. Take its events from one thread, by iterating (blocks) or by `drain` (never does).

    A fault of the engine is raised from there, after the last event before it. Leaving `with` stops the answer and
    takes what is left of it.
    """

    def __init__(
        self,
        generation: Generation,
        harmony: Harmony,
        prompt_ids: Sequence[int],
        on_end: Callable[[Turn, Sequence[Message], bool], None],
        *,
        node: str = "",
        begun: Sequence[int] = (),
        lock: AbstractContextManager[object] | None = None,
    ) -> None:
        """`on_end(turn, messages, failed)` is called once, as the last event is taken, before it is handed out.

        `begun` is what the prompt already holds of the answer: it is gone on with. Messages and texts are then those of
        the whole answer, tokens and deltas of what is new. `lock` is held while events are taken in, and while `on_end`
        runs: a session settles its turns from whatever thread asks it something.
        """
        self.prompt_ids = tuple(prompt_ids)
        """The whole prompt."""
        self.node = node
        """The id of the node in the conversation's tree that is being written; empty outside of one."""
        self.begun = tuple(begun)
        """The ids that the answer had before; empty where it is a new one."""
        self.finished: TurnFinished | None = None
        """The last event, once it was taken; None for ever where a fault ended the turn."""
        self._generation = generation
        self._harmony = harmony
        self._parser = harmony.parser()
        for token_id in self.begun:
            self._parser.feed(token_id)
        self._on_end = on_end
        self._lock = lock if lock is not None else threading.RLock()
        self._taken: deque[TurnEvent] = deque()
        self._over = False
        self._fault: Exception | None = None

    @property
    def over(self) -> bool:
        """True once the end of the answer, or the fault that ended it, was taken from the engine."""
        return self._over

    @property
    def params(self) -> SamplingParams:
        """The parameters in force. A change, from any thread, holds from the first token not yet emitted."""
        return self._generation.params

    @params.setter
    def params(self, params: SamplingParams) -> None:
        self._generation.params = params

    @property
    def reused_tokens(self) -> int:
        """Prompt tokens that needed no prefill; valid once an event has come."""
        return self._generation.reused_tokens

    def written(self) -> tuple[int, ...]:
        """The ids of the answer so far, what it had before first; from any thread, whether or not events are taken."""
        return self.begun + self._generation.written

    def wait(self, timeout: float | None = None) -> bool:
        """Blocks until the model has ended the answer, or `timeout` seconds; whether it has. Takes no event."""
        return self._generation.wait(timeout)

    def stop(self) -> None:
        """Ends the answer after the token that is being computed; its last event still comes. From any thread."""
        self._generation.stop()

    def drain(self) -> list[TurnEvent]:
        """The events that have come since the last call, at once.

        Call it until it returns nothing: a fault that came after some events is raised by the call after theirs.
        """
        with self._lock:
            self.settle()
            events = list(self._taken)
            self._taken.clear()
        if not events:
            self._raise_fault()
        return events

    def settle(self) -> None:
        """Takes what has come from the engine and keeps it for the reader; an answer that is done is over by then."""
        with self._lock:
            # Until nothing is left: the engine raises a fault only then.
            while not self._over:
                try:
                    events = self._generation.drain()
                except Exception as fault:
                    self._fail(fault)
                    return
                if not events:
                    return
                self._taken.extend(self._told(event) for event in events)

    def __next__(self) -> TurnEvent:
        if self._taken:
            return self._taken.popleft()
        if not self._over:
            try:
                event = next(self._generation, None)
            except Exception as fault:
                with self._lock:
                    self._fail(fault)
            else:
                if event is not None:
                    with self._lock:
                        return self._told(event)
        self._raise_fault()
        raise StopIteration

    def __enter__(self) -> Turn:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        for _ in self:
            pass

    def _told(self, event: Event) -> TurnEvent:
        match event:
            case PrefillProgress():
                return event
            case Step(token_id=token_id):
                vocabulary = self._harmony.vocabulary
                deltas = tuple(self._parser.feed(token_id))
                return Token(event, vocabulary.piece(token_id), vocabulary.is_special(token_id), deltas)
            case Finished():
                messages = tuple(self._parser.finish())
                self.finished = TurnFinished(
                    finished=event,
                    reason=self._reason(event),
                    text="".join(_texts(messages, "final")),
                    analysis="\n\n".join(_texts(messages, "analysis")),
                    messages=messages,
                )
                self._end(messages, failed=False)
                return self.finished
            case _:
                assert_never(event)

    def _reason(self, finished: Finished) -> TurnReason:
        call = self._harmony.vocabulary.special["<|call|>"]
        return "tool_call" if finished.stop_id == call else finished.reason

    def _fail(self, fault: Exception) -> None:
        self._fault = fault
        self._end(self._parser.finish(), failed=True)

    def _end(self, messages: Sequence[Message], *, failed: bool) -> None:
        self._over = True
        self._on_end(self, messages, failed)

    def _raise_fault(self) -> None:
        fault, self._fault = self._fault, None
        if fault is not None:
            raise fault


def _texts(messages: Sequence[Message], channel: Channel) -> list[str]:
    return [message.text for message in messages if message.channel == channel]
