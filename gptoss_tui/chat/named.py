"""The moves by name, for whoever calls rather than chooses: `send(text)` is `make(Send(text))`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TypedDict, Unpack

from gptoss_tui.chat.moves import Asking, Edit, EditAnswer, Fork, GoOn, Move, Retry, Send, SendResult, Shorten, Switch
from gptoss_tui.chat.turn import Turn


class How(TypedDict, total=False):
    """How an answer is told; see `Engine.generate`."""

    on_event: Callable[[], None] | None
    top_logprobs: int
    router: bool


class NamedMoves(ABC):
    """What `Session` offers on top of `make`."""

    @abstractmethod
    def make(self, move: Move, **how: Unpack[How]) -> Turn | None:
        """Makes a move. The turn that it begins, or None where nothing is asked: then only what is shown has changed.

        Raises `PromptError` for a move that cannot be made and for a conversation that is longer than the context, and
        `EngineBusy` while an answer is being written.
        """

    def send(self, text: str, **how: Unpack[How]) -> Turn:
        """Asks. Raises as `make`, also for an empty text; then nothing was said."""
        return self._ask(Send(text), **how)

    def send_result(self, text: str, **how: Unpack[How]) -> Turn:
        """Hands over what a tool said to the call that ended the last turn. Raises as `send`, also where none did."""
        return self._ask(SendResult(text), **how)

    def retry(self, node: str | None = None, **how: Unpack[How]) -> Turn:
        """Asks again, with a new seed unless `params` has one; the answer so far stays beside it. Raises as `make`."""
        return self._ask(Retry(node), **how)

    def edit(self, node: str, text: str, **how: Unpack[How]) -> Turn:
        """Asks something else in place of a prompt, which stays beside it. Raises as `send`."""
        return self._ask(Edit(node, text), **how)

    def go_on(self, node: str | None = None, **how: Unpack[How]) -> Turn:
        """Goes on with an answer that was stopped or cut off. Raises as `make`, also for an answer that is whole."""
        return self._ask(GoOn(node), **how)

    def edit_answer(self, text: str, node: str | None = None, *, go_on: bool = True, **how: Unpack[How]) -> Turn | None:
        """Puts another answer beside the model's; with `go_on` the model goes on behind it. Raises as `make`."""
        return self.make(EditAnswer(text, node, go_on), **how)

    def switch(self, node: str) -> None:
        """Shows the path through another node, down to where it was last looked at. Raises as `make`."""
        self.make(Switch(node))

    def fork(self, node: str | None = None) -> None:
        """Goes on in a new conversation that begins with the path so far. Raises as `make`."""
        self.make(Fork(node))

    def shorten(self) -> None:
        """Forks without the oldest turns, so that about half of the context is free. Raises as `make`."""
        self.make(Shorten())

    def _ask(self, move: Asking, **how: Unpack[How]) -> Turn:
        turn = self.make(move, **how)
        assert turn is not None, "every asking move begins a turn"
        return turn
