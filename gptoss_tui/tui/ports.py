"""What the terminal interface needs from below, as protocols.

`Engine` and `Session` have these; a scripted pair stands in where a test needs output that no model writes on demand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from gptoss_tui.chat.events import TurnEvent
    from gptoss_tui.chat.journal import Conversation
    from gptoss_tui.chat.keeper import Keeper
    from gptoss_tui.chat.moves import Move, Plan
    from gptoss_tui.chat.tree import Node, Tree
    from gptoss_tui.engine.events import LayerState, LoadProgress, MemoryUse, ModelInfo
    from gptoss_tui.engine.params import SamplingParams
    from gptoss_tui.engine.worker import Engine
    from gptoss_tui.harmony import Harmony
    from gptoss_tui.harmony.messages import Effort
    from gptoss_tui.tui.options import TuiOptions


class EnginePort(Protocol):
    """What is asked of `gptoss_tui.engine.worker.Engine`."""

    @property
    def info(self) -> ModelInfo: ...
    @property
    def busy(self) -> bool: ...
    def layers(self) -> tuple[LayerState, ...]: ...
    def memory(self) -> MemoryUse: ...
    def close(self) -> None: ...


class TurnPort(Protocol):
    """What is asked of `gptoss_tui.chat.session.Turn`."""

    @property
    def prompt_ids(self) -> tuple[int, ...]: ...
    @property
    def over(self) -> bool: ...
    def drain(self) -> list[TurnEvent]: ...
    def stop(self) -> None: ...


class SessionPort(Protocol):
    """What is asked of `gptoss_tui.chat.session.Session`."""

    instructions: str | None
    effort: Effort
    max_tokens: int | None
    params: SamplingParams
    title: str

    @property
    def conversation(self) -> Conversation: ...
    @property
    def tree(self) -> Tree: ...
    @property
    def path(self) -> tuple[Node, ...]: ...
    @property
    def context(self) -> int: ...
    def count(self, text: str) -> int: ...
    def plan(self, move: Move) -> Plan: ...
    def make(self, move: Move, *, on_event: Callable[[], None] | None = None) -> TurnPort | None: ...
    def clear(self) -> None: ...
    def use(self, engine: Engine, harmony: Harmony) -> None: ...


@dataclass(frozen=True, slots=True)
class Backend:
    """A loaded model with a conversation on it."""

    engine: EnginePort
    session: SessionPort
    about: str = ""
    """One line on what this model is; empty: nothing to say."""
    keeper: Keeper | None = None
    """What keeps the conversation; None: nothing does."""
    folder: Path | None = None
    """Where the model came from; None where it is no real one."""


class OpenBackend(Protocol):
    """Loads a model; runs on a thread of its own and blocks. Raises `GptOssError`."""

    def __call__(
        self, options: TuiOptions, on_progress: Callable[[LoadProgress], None], cancelled: Callable[[], bool]
    ) -> Backend: ...


def caches(engine: EnginePort) -> dict[str, Any]:
    """What the engine holds now, by the snapshot's names."""
    return {"layers": engine.layers(), "memory": engine.memory()}
