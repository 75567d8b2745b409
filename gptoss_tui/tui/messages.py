"""What other threads tell the screen. Posting is all that they may do; every one of these may be lost to a newer one
of its kind, except those that end something.
"""

from __future__ import annotations

from textual.message import Message

from gptoss_tui.chat.switching import Switched
from gptoss_tui.errors import GptOssError
from gptoss_tui.tui.ports import Backend


class Wake(Message):
    """The model thread has events; they are in the turn's queue, not here."""

    def can_replace(self, message: Message) -> bool:
        """A burst is one wake-up."""
        return isinstance(message, Wake)


class LoadTick(Message):
    """More of the model is loaded."""

    def __init__(self, done: int, total: int) -> None:
        super().__init__()
        self.done, self.total = done, total

    def can_replace(self, message: Message) -> bool:
        """Only the newest figure matters."""
        return isinstance(message, LoadTick)


class Loaded(Message):
    """The model is there."""

    def __init__(self, backend: Backend) -> None:
        super().__init__()
        self.backend = backend


class Told(Message):
    """Whatever keeps the conversation has something to say to the person."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class ModelSwitched(Message):
    """Another model is there, or the one before again."""

    def __init__(self, switched: Switched) -> None:
        super().__init__()
        self.switched = switched


class Offered(Message):
    """A conversation was cut off, and can be gone on with."""

    def __init__(self, conversation: str, text: str) -> None:
        super().__init__()
        self.conversation, self.text = conversation, text


class LoadFailed(Message):
    """The model could not be loaded."""

    def __init__(self, fault: GptOssError) -> None:
        super().__init__()
        self.fault = fault
