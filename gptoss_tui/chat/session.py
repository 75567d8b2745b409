"""A conversation on an engine: renders it, has it answered, folds the answer in, reads ahead while the person reads.

The engine is given the whole prompt each time and finds by itself what it has already read; the session's part in that
is to render the same ids again. Knows no front end and stores nothing. Use a session from one thread.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from gptoss_tui.chat.turn import Turn
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.errors import EngineBusy, EngineClosed, PromptError
from gptoss_tui.harmony import Harmony
from gptoss_tui.harmony.messages import Effort, Message, Tool

if TYPE_CHECKING:
    # Importing it for real would load MLX, before the first frame is on the screen.
    from gptoss_tui.engine.worker import Engine

__all__ = ["Session", "Turn"]

_NEXT_QUESTION = replace(Message.user(""), complete=False)


class Session:
    """One conversation. A call that raises leaves it as it was."""

    def __init__(
        self,
        engine: Engine,
        harmony: Harmony,
        *,
        instructions: str | None = None,
        effort: Effort = "medium",
        params: SamplingParams | None = None,
        max_tokens: int | None = None,
        date: str | None = None,
        tools: Sequence[Tool] = (),
        messages: Sequence[Message] = (),
    ) -> None:
        """`date` (ISO) is what the model is told; None takes the day on which each conversation begins. `messages` is a
        conversation to go on with."""
        self.instructions = instructions
        """The developer message; set it between turns."""
        self.effort: Effort = effort
        """How long to think; set it between turns."""
        self.max_tokens = max_tokens
        """Tokens an answer may have; None is what the context leaves. Set it between turns."""
        self._engine = engine
        self._harmony = harmony
        self._params = params if params is not None else SamplingParams()
        self._tools = tuple(tools)
        self._given_date = date
        self._date = _today(date)
        self._messages = tuple(messages)
        self._turn: Turn | None = None

    @property
    def messages(self) -> tuple[Message, ...]:
        """What was said, in order. While a turn is running, its answer is not in it yet."""
        return self._messages

    @property
    def turn(self) -> Turn | None:
        """The running turn; None once its end was taken from it."""
        return self._turn

    @property
    def date(self) -> str:
        """The date that the model is told, ISO; fixed for the conversation, since every prompt begins with it."""
        return self._date

    @property
    def params(self) -> SamplingParams:
        """How tokens are chosen; a running turn follows a change at its next token."""
        return self._params

    @params.setter
    def params(self, params: SamplingParams) -> None:
        self._params = params
        if self._turn is not None:
            self._turn.params = params

    def send(
        self, text: str, *, on_event: Callable[[], None] | None = None, top_logprobs: int = 0, router: bool = False
    ) -> Turn:
        """Asks. `on_event`, `top_logprobs` and `router` are the engine's.

        Raises `PromptError` for an empty text or a conversation that is longer than the context, and `EngineBusy`; then
        nothing was said.
        """
        if not text.strip():
            raise PromptError("The message is empty", "Write something to answer.")
        self._settle()
        return self._ask((*self._messages, Message.user(text)), on_event, top_logprobs, router)

    def send_result(
        self, text: str, *, on_event: Callable[[], None] | None = None, top_logprobs: int = 0, router: bool = False
    ) -> Turn:
        """Hands over what a tool said to the call that ended the last turn. Raises as `send`, also where none did."""
        self._settle()
        call = self._messages[-1] if self._messages else None
        if call is None or not call.is_call or call.recipient is None:
            raise PromptError("No tool was called", "Send a message instead.")
        result = Message.tool(call.recipient, text)
        return self._ask((*self._messages, result), on_event, top_logprobs, router)

    def retry(self, *, on_event: Callable[[], None] | None = None, top_logprobs: int = 0, router: bool = False) -> Turn:
        """Drops the last answer and asks again, with a new seed unless `params` has one. Raises as `send`."""
        self._settle()
        asked = [place for place, message in enumerate(self._messages) if message.role == "user"]
        if not asked:
            raise PromptError("Nothing was asked yet", "Send a message first.")
        return self._ask(self._messages[: asked[-1] + 1], on_event, top_logprobs, router)

    def interrupt(self) -> None:
        """Stops the running turn, if there is one; what was written is kept. Its last event is still to be taken."""
        if self._turn is not None:
            self._turn.stop()

    def clear(self) -> None:
        """Begins a new, empty conversation on today's date. A running turn is stopped and belongs to nothing."""
        self.interrupt()
        self._turn = None
        self._messages = ()
        self._date = _today(self._given_date)

    def _ask(
        self, messages: tuple[Message, ...], on_event: Callable[[], None] | None, top_logprobs: int, router: bool
    ) -> Turn:
        if self._turn is not None:
            raise EngineBusy("An answer is being written already", "Wait for it, or stop it first.")
        ids = self._render(messages)
        context = self._engine.info.context
        if len(ids) >= context:
            raise PromptError(
                f"The conversation has {len(ids):,} tokens with this message; the model's context holds {context:,}",
                f"Leave out {len(ids) - context + 1:,} tokens or more, or begin a new conversation (/clear).",
            )
        generation = self._engine.generate(
            ids,
            self._params,
            max_tokens=self.max_tokens,
            stop_ids=self._harmony.stop_ids,
            top_logprobs=top_logprobs,
            pins=self._pins(messages, ids),
            on_event=on_event,
            router=router,
        )
        self._messages = messages
        self._turn = Turn(generation, self._harmony, ids, self._ended)
        return self._turn

    def _settle(self) -> None:
        """Folds in an answer that is done even where nobody has taken its last events yet."""
        if self._turn is not None:
            self._turn.settle()

    def _ended(self, turn: Turn, written: Sequence[Message], failed: bool) -> None:
        if turn is not self._turn:
            # Its conversation was cleared.
            return
        self._turn = None
        self._messages += tuple(folded(written))
        if failed:
            return
        beginning = self._render((*self._messages, _NEXT_QUESTION))
        if len(beginning) < self._engine.info.context:
            # Whoever closes the engine may still take the last events; there will be no next prompt then.
            with suppress(EngineClosed):
                self._engine.prefill(beginning)

    def _pins(self, messages: tuple[Message, ...], ids: list[int]) -> tuple[int, ...]:
        """Where the next prompt may leave this one: an edit where its last message begins, a retry at its end."""
        edited = self._render((*messages[:-1], _NEXT_QUESTION))
        # Equal ids at the beginning are what makes it a place to come back to.
        edit = [len(edited)] if ids[: len(edited)] == edited else []
        return (*edit, len(ids) - 1)

    def _render(self, messages: Sequence[Message]) -> list[int]:
        return self._harmony.render(
            messages, instructions=self.instructions, effort=self.effort, tools=self._tools, date=self._date
        )


def folded(written: Sequence[Message]) -> list[Message]:
    """An answer as it goes into the conversation.

    Only the assistant's own words: a question or a tool's answer that the model made up is left out. A message that was
    cut off is closed, unless it is analysis or half a tool call: these nobody was told, so they stay open, and prompts
    leave them out. Text outside all channels is the answer where there is no other; otherwise it is put with the
    analysis.
    """
    own = [message for message in written if message.role == "assistant"]
    answered = any(message.channel == "final" or message.is_call for message in own)
    messages: list[Message] = []
    for message in own:
        if not message.complete and message.is_call:
            message = replace(message, channel="analysis", recipient=None, constrain=None)
        elif message.channel is None:
            message = replace(message, channel="analysis" if answered else "final")
        if not message.complete and message.channel != "analysis":
            message = replace(message, complete=True)
            if not message.text:
                continue
        messages.append(message)
    return messages


def _today(date: str | None) -> str:
    return date if date is not None else datetime.date.today().isoformat()
