"""What a conversation is made of, before it becomes tokens and after it came from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal["user", "assistant", "tool"]
Channel = Literal["analysis", "commentary", "final"]
Effort = Literal["low", "medium", "high"]

CHANNELS: tuple[Channel, ...] = ("analysis", "commentary", "final")
EFFORTS: tuple[Effort, ...] = ("low", "medium", "high")


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation. System and developer messages are `render`'s business, not the caller's."""

    role: Role
    text: str
    channel: Channel | None = None
    """The channel of an assistant message, `commentary` for a tool's; None for the user's."""
    recipient: str | None = None
    """Whom the assistant calls, such as `functions.weather`."""
    name: str | None = None
    """The tool that speaks, such as `functions.weather`."""
    constrain: str | None = None
    """The content's declared type in a tool call, such as `json`."""
    token_ids: tuple[int, ...] | None = None
    """The content's ids as they were sampled, rendered verbatim: text encoded again need not give them."""
    complete: bool = True
    """False leaves the last message of a prompt open, for the model to go on with."""

    @property
    def is_call(self) -> bool:
        """True where the assistant asks a tool for something: such a message ends with `<|call|>`."""
        return self.role == "assistant" and self.recipient is not None

    @classmethod
    def user(cls, text: str) -> Message:
        """What the person wrote."""
        return cls("user", text)

    @classmethod
    def assistant(cls, text: str, channel: Channel = "final", recipient: str | None = None) -> Message:
        """What the model wrote."""
        return cls("assistant", text, channel=channel, recipient=recipient)

    @classmethod
    def tool(cls, name: str, text: str) -> Message:
        """What a tool answered; `name` as it was called, such as `functions.weather`."""
        return cls("tool", text, channel="commentary", name=name)


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the model may call; it is shown to the model as TypeScript in `namespace functions`."""

    name: str
    description: str
    parameters: dict[str, object] | None = None
    """JSON Schema of its arguments; None for a function without any."""


@dataclass(frozen=True, slots=True)
class Delta:
    """What one token added to the message that is being written."""

    channel: Channel | None
    """None while the header is being written, or where it names no known channel."""
    text: str
    recipient: str | None = None
    message: int = 0
    """Which message of the answer it belongs to, counted from 0."""
