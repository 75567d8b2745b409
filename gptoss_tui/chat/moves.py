"""What can be done with a conversation, as values, and what doing it would cost. Knows no session and no engine."""

from __future__ import annotations

from dataclasses import dataclass

from gptoss_tui.errors import PromptError


@dataclass(frozen=True, slots=True)
class Send:
    """Asks, behind what is shown."""

    text: str


@dataclass(frozen=True, slots=True)
class SendResult:
    """Hands over what a tool said to the call that ended the last answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Retry:
    """Asks again; the answer so far stays, as a sibling of the new one."""

    node: str | None = None
    """The answer, or the prompt to answer; None: what answered the last prompt."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Asks something else in place of a prompt; the prompt and all that followed it stay, as a sibling."""

    node: str
    """The prompt."""
    text: str


@dataclass(frozen=True, slots=True)
class GoOn:
    """Lets the model go on with an answer that was stopped or cut off. It grows in place; where something was asked
    behind it already, a copy beside it grows."""

    node: str | None = None
    """The answer; None: the last one shown."""


@dataclass(frozen=True, slots=True)
class EditAnswer:
    """Puts other words into the model's mouth: a sibling of its answer."""

    text: str
    """The whole final text."""
    node: str | None = None
    """The answer; None: the last one shown."""
    go_on: bool = True
    """Whether the model goes on behind these words."""


@dataclass(frozen=True, slots=True)
class Switch:
    """Shows the path through another node, down to where it was last looked at."""

    node: str


@dataclass(frozen=True, slots=True)
class Fork:
    """Goes on in a new conversation that begins with the path so far."""

    node: str | None = None
    """The last node of the new conversation; None: the last one shown."""


@dataclass(frozen=True, slots=True)
class Shorten:
    """Forks without the oldest turns, so that about half of the context is free again."""


class NoRoom(PromptError):
    """A prompt that leaves no room for an answer."""


Asking = Send | SendResult | Retry | Edit | GoOn | EditAnswer
"""Moves that have the model answer; `EditAnswer` only where it goes on."""
Still = Switch | Fork | Shorten | EditAnswer
"""Moves that ask nothing and change what is shown; `EditAnswer` only where the model does not go on."""
Move = Asking | Still


@dataclass(frozen=True, slots=True)
class Plan:
    """A move that has not been made yet, and what it would cost now."""

    move: Move
    ids: tuple[int, ...]
    """The whole prompt; of a move that asks nothing, how the next prompt would begin."""
    reused: int
    """Tokens of it that the engine would not read again."""
    context: int
    """Tokens that prompt and answer may have together."""

    @property
    def prefill(self) -> int:
        """Tokens that the engine would have to read first."""
        return len(self.ids) - self.reused

    @property
    def room(self) -> int:
        """Tokens that the context leaves for the answer; 0 or less where the move cannot be made."""
        return self.context - len(self.ids)

    @property
    def cost(self) -> str:
        """For people: `reuses 6,210 tokens, prefills 48`."""
        return f"reuses {self.reused:,} tokens, prefills {self.prefill:,}"

    def check(self) -> None:
        """Raises `NoRoom`, with the figures and the ways on, where the context leaves no room for an answer."""
        if self.room > 0:
            return
        raise NoRoom(
            f"The conversation would have {len(self.ids):,} tokens; the model's context holds {self.context:,}",
            f"Leave out {1 - self.room:,} tokens or more, go on without the oldest turns (/shorten), or begin a new "
            "conversation (/clear).",
        )
